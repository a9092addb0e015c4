"""What a database has in it, in a few figures."""

from __future__ import annotations

from dataclasses import dataclass

from symphony_server.store.copying import ALL_TABLES, WholeTables
from symphony_server.store.session import Session


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a database as of one moment."""

    rows: list[tuple[str, int]]
    """Each table, and how many it has."""
    revision: int
    records: int
    """The size of the audit log's tree."""
    root: bytes
    """Its root, as it is stored."""


def contents(session: Session) -> Contents:
    """The contents as a session's snapshot has them. Raises AuditTreeDamaged."""
    tables = WholeTables(session)
    size = tables.audit.tree.size()
    return Contents(
        [(table.name, tables.count(table)) for table in ALL_TABLES],
        tables.changes.last(),
        size,
        tables.audit.tree.root(size),
    )
