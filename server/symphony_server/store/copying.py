"""Every table from end to end: to be copied into another database, and compared with it.

Rows are read in the order of their keys, which is the same on every engine, as they are asked
for: memory does not grow with the tables.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, Final, NamedTuple, Protocol

from peewee import BooleanField, TextField, fn

from symphony_server.store.audit_log import AuditLog
from symphony_server.store.change_log import ChangeLog
from symphony_server.store.session import Session, on_a_line
from symphony_server.store.statements import Compiler
from symphony_server.store.tables import TABLES

CHUNK_ROWS: Final = 500
"""Compared and hashed together: the hashes are of chunks as large as this."""

Row = tuple[Any, ...]
Told = Callable[[int], None]
"""Is told of so many more rows that are done."""


class CopyFailed(RuntimeError):
    """A table could not be read or written."""


class TextWithNul(RuntimeError):
    """A text that the target cannot hold."""


class Table(NamedTuple):
    """A table's columns, in the order in which its rows are read and written."""

    model: Any
    name: str
    fields: Sequence[Any]
    key: Sequence[Any]


def _table(model: Any) -> Table:
    meta = model._meta
    return Table(model, meta.table_name, meta.sorted_fields, meta.get_primary_keys())


ALL_TABLES: Final = tuple(_table(model) for model in TABLES)


class CopyTarget(Protocol):
    """An empty database that is being filled; it stays empty until all of it is kept."""

    @property
    def holds_nul(self) -> bool:
        """Whether its texts may have the character U+0000."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What any act but `keep` may raise besides what it says."""

    def start(self) -> list[str]:
        """Begin; returns the tables that are not empty, in which case nothing was begun."""

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        """Take a table's rows. Raises CopyFailed."""

    def loaded(self) -> Session:
        """End the loading; returns a session that reads what was taken."""

    def keep(self) -> None:
        """Make what was taken the database's own, durably. Where this raises, the outcome is
        unknown. Raises CopyFailed, FileInUse.
        """

    def close(self) -> None:
        """Leave the database as it was unless all was kept."""


class WholeTables:
    """The tables of one session. For one moment's, its snapshot is the caller's to begin."""

    def __init__(self, session: Session) -> None:
        """Compile the statements."""
        compiled = self._compiled = Compiler(session)
        self._session = session
        self.audit = AuditLog(compiled)
        self.changes = ChangeLog(compiled)

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        count = self._compiled(table.model.select(fn.COUNT(table.key[0])))
        return int(count().fetchone()[0])

    def not_empty(self) -> list[str]:
        """The names of the tables that have rows."""
        return [
            table.name
            for table in ALL_TABLES
            if self._compiled(table.model.select(table.key[0]).limit(1))().fetchone()
        ]

    def rows(self, table: Table) -> Iterator[Row]:
        """A table's rows, in the order of their keys. Raises CopyFailed."""
        booleans = [i for i, field in enumerate(table.fields) if isinstance(field, BooleanField)]
        query = table.model.select(*table.fields).order_by(*table.key)
        try:
            for row in self._compiled(query).stream():
                yield _with_booleans(row, booleans) if booleans else row
        except self._session.failures as error:
            raise CopyFailed(
                f"the table {table.name} cannot be read: {on_a_line(error)}"
            ) from error

    def refuse_nul(self, table: Table) -> None:
        """Raises TextWithNul for the first row with the character U+0000 in a text. SQLite's."""
        texts = [field for field in table.fields if isinstance(field, TextField)]
        if not texts:
            return
        has_nul = reduce(or_, (fn.INSTR(field, fn.CHAR(0)) > 0 for field in texts))
        query = table.model.select(*table.key, *texts).where(has_nul).limit(1)
        row = self._compiled(query)().fetchone()
        if row is not None:
            key, values = row[: len(table.key)], row[len(table.key) :]
            column = next(
                f.name for f, text in zip(texts, values, strict=True) if "\0" in (text or "")
            )
            raise TextWithNul(
                f"{column} of {_named(key)} in {table.name} has the character U+0000, which "
                "PostgreSQL cannot hold; nothing was copied"
            )


@dataclass(frozen=True, slots=True)
class Compared:
    """What the rows of a table on both sides came to."""

    table: str
    rows: tuple[int, int]
    """In the source and in the target."""
    hashes: tuple[str, str]
    """SHA-256 of all their values, likewise."""
    difference: str
    """The first row that differs, in words; empty when none does."""

    @property
    def equal(self) -> bool:
        """Whether every row is the same."""
        return not self.difference and self.hashes[0] == self.hashes[1]


def compare(table: Table, source: Iterator[Row], target: Iterator[Row], told: Told) -> Compared:
    """Compare every row, in the order of their keys."""
    digests, counts, difference = (hashlib.sha256(), hashlib.sha256()), [0, 0], ""
    while True:
        chunks = tuple(list(islice(rows, CHUNK_ROWS)) for rows in (source, target))
        if not any(chunks):
            break
        for side, (digest, chunk) in enumerate(zip(digests, chunks, strict=True)):
            digest.update(_canonical(chunk))
            counts[side] += len(chunk)
        if not difference and chunks[0] != chunks[1]:
            difference = _difference(table, *chunks)
        told(len(chunks[0]))
    return Compared(
        table.name,
        (counts[0], counts[1]),
        (digests[0].hexdigest(), digests[1].hexdigest()),
        difference,
    )


def in_chunks(rows: Iterable[Row], told: Told) -> Iterator[list[Row]]:
    """Rows, some at a time; tells of those that were taken."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk
        told(len(chunk))


def _canonical(chunk: list[Row]) -> bytes:
    """The same bytes for the same types and values, and for no others.

    Since version 3 marshal refers back to what it has written already, by identity.
    """
    return marshal.dumps(chunk, 2)


def _with_booleans(row: Row, booleans: Sequence[int]) -> Row:
    """SQLite has numbers for them; another number than these stays, and is not equal to any."""
    values = list(row)
    for i in booleans:
        values[i] = {0: False, 1: True}.get(values[i], values[i])
    return tuple(values)


def _difference(table: Table, source: list[Row], target: list[Row]) -> str:
    # By their names: compared, Peewee's fields are an expression, and true.
    names = [field.name for field in table.fields]
    places = [names.index(field.name) for field in table.key]
    for ours, theirs in zip(source, target, strict=False):
        if ours == theirs:
            continue
        keys = [tuple(row[place] for place in places) for row in (ours, theirs)]
        if keys[0] == keys[1]:
            columns = [
                name for name, one, other in zip(names, ours, theirs, strict=True) if one != other
            ]
            return f"{_named(keys[0])} in {table.name} differs in {', '.join(columns)}"
        if keys[0] < keys[1]:
            return f"{_named(keys[0])} is not in the target's {table.name}"
        return f"{_named(keys[1])} is in the target's {table.name} only"
    longer, where = (source, "source") if len(source) > len(target) else (target, "target")
    row = longer[min(len(source), len(target))]
    key = tuple(row[place] for place in places)
    return f"{_named(key)} is in the {where}'s {table.name} only"


def _named(key: Sequence[Any]) -> str:
    return "/".join(map(str, key))


def cannot_write(table: Table, error: Exception) -> CopyFailed:
    """What to raise when an engine refuses rows."""
    return CopyFailed(
        f"the table {table.name} cannot be written, and nothing was: {on_a_line(error)}"
    )
