"""`symphony copy`: everything of one database into another, of whichever engine, and compared.

What is copied is the source as of one moment. It is compared row by row, and the audit log's tree
computed anew from the copy, before the target keeps any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from symphony_server.audit_blocks import BLOCK_LEVEL, block_root
from symphony_server.audit_verification import Fault, verify_log
from symphony_server.operator_progress import Progress
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.audit_tree import AuditTreeDamaged
from symphony_server.store.backups import TargetNotEmpty
from symphony_server.store.copying import (
    ALL_TABLES,
    Compared,
    CopyFailed,
    CopyTarget,
    Row,
    WholeTables,
    compare,
    in_chunks,
)
from symphony_server.store.database import parse_url
from symphony_server.store.engines import patient_session, target_at
from symphony_server.store.migrate import SchemaOutdated, pending
from symphony_server.store.session import DatabaseAddress, on_a_line
from symphony_server.store.sqlite_file import SqliteFile


class NotACopy(RuntimeError):
    """What arrived is not what was sent; the target was left empty."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, and found to be equal."""

    tables: list[Compared]
    revision: int
    records: int
    """How many audit records there are."""
    root: bytes
    """The root of their tree, computed from the copy; it is the source's."""


def copy(source_url: str, target_url: str, progress: Progress) -> Copied:
    """Copy everything, and return what it came to.

    Raises UnsupportedDatabase, SchemaNewer, SchemaOutdated, DatabaseUnusable, TargetNotEmpty,
    TextWithNul, CopyFailed, NotACopy. After any of them the target is as it was.
    """
    source, target = parse_url(source_url), parse_url(target_url)
    for address in (source, target):
        _require_migrated(address)
    with (
        closing(patient_session(source, read_only=True)) as session,
        closing(target_at(target)) as filled,
    ):
        try:
            full = filled.start()
            if full:
                raise TargetNotEmpty(
                    f"the target {target} is not empty: there are rows in {', '.join(full)}; "
                    "copy into a database that was just made with 'symphony migrate'"
                )
            session.begin_snapshot()
            tables = WholeTables(session)
            if isinstance(source, SqliteFile) and not filled.holds_nul:
                progress.say("looking for texts that PostgreSQL cannot hold")
                for table in ALL_TABLES:
                    tables.refuse_nul(table)
            copied = _copy_and_compare(tables, filled, progress)
            session.end_snapshot()
        except (*session.failures, *filled.failures) as error:
            raise CopyFailed(f"nothing was copied: {on_a_line(error)}") from error
        progress.say(f"keeping the copy in {target}")
        filled.keep()
        return copied


def _require_migrated(address: DatabaseAddress) -> None:
    with_it = f"run 'symphony migrate --database {address}' first"
    try:
        address.require()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}; {with_it}") from None
    if pending(address):
        raise SchemaOutdated(f"the database {address} lacks migrations; {with_it}")


def _copy_and_compare(source: WholeTables, target: CopyTarget, progress: Progress) -> Copied:
    counts = [(table, source.count(table)) for table in ALL_TABLES]
    for table, count in counts:
        told = progress.begin("copying", table.name, count)
        target.load(table, _telling(source.rows(table), told))
    session = target.loaded()
    arrived = WholeTables(session)
    compared = []
    for table, count in counts:
        told = progress.begin("comparing", table.name, count)
        compared.append(compare(table, source.rows(table), arrived.rows(table), told))
    wrong = [table.difference or f"{table.table} differs" for table in compared if not table.equal]
    if wrong:
        raise NotACopy(f"the copy is not equal, and none of it was kept: {'; '.join(wrong)}")
    progress.say("verifying the audit log")
    size = source.audit.tree.size()
    root = source.audit.tree.root(size)
    fault = _fault_of(arrived.audit, size, root)
    if fault is not None:
        raise NotACopy(
            f"the copy is equal, but was not kept: record {fault.sequence} of the audit log "
            f"{fault.problem}; it is so in the source, see 'symphony audit verify'"
        )
    return Copied(compared, source.changes.last(), size, root)


def _fault_of(log: AuditLog, size: int, root: bytes) -> Fault | None:
    """What is wrong with a log that should have so many records and this root."""
    try:
        # In this process: no other sees what is not committed yet.
        blocks = (block_root(log, index) for index in range(size >> BLOCK_LEVEL))
        verdict = verify_log(log, blocks=blocks)
    except AuditTreeDamaged:
        verdict = verify_log(log)
    if verdict.fault is None and (verdict.size, verdict.root) != (size, root):
        return Fault(verdict.size, "is the last, and the root another than the source's")
    return verdict.fault


def _telling(rows: Iterator[Row], told: Callable[[int], None]) -> Iterator[Row]:
    for chunk in in_chunks(rows, told):
        yield from chunk
