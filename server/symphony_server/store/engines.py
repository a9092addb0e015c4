"""What is each engine's own of copies and backups."""

from __future__ import annotations

from pathlib import Path

from symphony_server.store.backups import Backups, SqliteBackups
from symphony_server.store.copy_to_sqlite import SqliteTarget
from symphony_server.store.copying import CopyTarget
from symphony_server.store.session import DatabaseAddress, Session
from symphony_server.store.sqlite_file import SqliteFile


def target_at(address: DatabaseAddress) -> CopyTarget:
    """What fills the migrated database at an address. Raises DatabaseUnusable."""
    if isinstance(address, SqliteFile):
        return SqliteTarget(address)
    # Here, so that who keeps the data in SQLite needs no psycopg.
    from symphony_server.store.copy_to_postgresql import PostgresqlTarget
    from symphony_server.store.postgresql import PostgresqlAddress

    if isinstance(address, PostgresqlAddress):
        return PostgresqlTarget(address)
    raise TypeError(f"nothing fills {address}")


def patient_session(address: DatabaseAddress, *, read_only: bool) -> Session:
    """A session that is not cut off, however long it takes or thinks. Raises DatabaseUnusable."""
    if isinstance(address, SqliteFile):
        return address.open(read_only=read_only)
    from symphony_server.store import postgresql_patience
    from symphony_server.store.postgresql import PostgresqlAddress

    if isinstance(address, PostgresqlAddress):
        return postgresql_patience.patient_session(address, read_only=read_only)
    raise TypeError(f"no session at {address}")


def backups_of(address: DatabaseAddress, programs: Path | None) -> Backups:
    """The backups of the database at an address; `programs` is the folder of PostgreSQL's, if
    it is not to be looked for.
    """
    if isinstance(address, SqliteFile):
        return SqliteBackups(address)
    from symphony_server.store.postgresql import PostgresqlAddress
    from symphony_server.store.postgresql_backups import PostgresqlBackups

    if isinstance(address, PostgresqlAddress):
        return PostgresqlBackups(address, programs)
    raise TypeError(f"no backups of {address}")
