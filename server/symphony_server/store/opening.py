"""The store of a database: the right doors for its engine."""

from __future__ import annotations

from symphony_server.store.doors import Store
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.sqlite_store import SqliteStore


def store_at(address: DatabaseAddress) -> Store:
    """A store that is not started yet, of a migrated database."""
    if isinstance(address, SqliteFile):
        return SqliteStore(address)
    # Here, so that who keeps the data in SQLite needs no psycopg.
    from symphony_server.store.postgresql import PostgresqlAddress
    from symphony_server.store.postgresql_store import PostgresqlStore

    if isinstance(address, PostgresqlAddress):
        return PostgresqlStore(address)
    raise TypeError(f"no store for {address}")
