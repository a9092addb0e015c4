"""The SQLite database that a replica is kept in: a file of one process at a time, or memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from symphony_client.resources.resource_table import table_format

APPLICATION_ID: Final = 0x53594D52
"""Marks a file as a replica ("SYMR"): no other application's database is ever touched."""
FORMAT: Final = 1
"""Of the `meta` table; to be raised when what it holds changes."""


class ReplicaUnusable(Exception):
    """The replica cannot be read or written; whatever was asked of it is to be asked elsewhere."""


@contextmanager
def as_unusable() -> Iterator[None]:
    """Turns the errors of SQLite and of files in the block into ReplicaUnusable."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ReplicaUnusable(str(error)) from error


def open_database(path: Path | None) -> sqlite3.Connection:
    """The database in a file, made if there is none; in memory where there is no path.

    One of an older format is emptied. The connection commits each statement unless a transaction
    was begun. Raises what `as_unusable` catches, and ReplicaUnusable for another application's.
    """
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # what one user may see is nobody else's
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    # Two processes that followed the feed into one file would undo each other's rows.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID and (tables or application_id):
        raise ReplicaUnusable("it is another application's database")
    connection.execute("PRAGMA journal_mode = WAL")
    # A power cut may take the last changes, rows and revision alike; the feed gives them again.
    connection.execute("PRAGMA synchronous = NORMAL")
    made = (table_format() ^ FORMAT) & 0x7FFFFFFF
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    if found != made:
        connection.execute("DROP TABLE IF EXISTS resources")
        connection.execute("DROP TABLE IF EXISTS meta")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {made}")
    connection.execute("COMMIT")
