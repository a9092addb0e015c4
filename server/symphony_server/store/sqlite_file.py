"""SQLite: a database in a file, and connections to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from peewee import PeeweeException, SqliteDatabase

from symphony_server.store.replication import Standby
from symphony_server.store.session import DatabaseUnusable, Session

BUSY_TIMEOUT_MS = 5000
"""How long a writer waits for another process's transaction; longer than any batch takes."""


class SqliteSession:
    """See `Session`."""

    bounds_parts = False
    failures = (sqlite3.Error,)

    def __init__(self, database: SqliteDatabase) -> None:
        """Take a database that is connected."""
        self.database = database
        self._connection: sqlite3.Connection = database.connection()
        self.execute = self._connection.execute
        self.written = False

    def stream(self, sql: str, parameters: Sequence[Any], /) -> Iterator[Any]:
        """See `Session`."""
        rows: Iterator[Any] = self.execute(sql, parameters)
        return rows

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None:
        """See `Session`."""
        self._connection.executemany(sql, rows)

    def begin_batch(self) -> None:
        """See `Session`. A deferred BEGIN would fail later, whatever the timeout."""
        self.execute("BEGIN IMMEDIATE")

    def prepare_commit(self, *, changed: bool) -> None:
        """See `Session`. Who follows the changes is told within the process."""

    def commit(self) -> None:
        """See `Session`."""
        self.execute("COMMIT")

    def begin_snapshot(self) -> None:
        """See `Session`."""
        self.execute("BEGIN")

    def end_snapshot(self) -> None:
        """See `Session`."""
        self.execute("ROLLBACK")

    def standbys(self) -> list[Standby]:
        """See `Session`. Who copies a file does not tell."""
        return []

    def ended_by(self, error: Exception) -> bool:
        """See `Session`. A full disk or an I/O error may have ended the whole transaction
        (https://sqlite.org/lang_transaction.html).
        """
        return isinstance(error, sqlite3.OperationalError)

    def close(self) -> None:
        """See `Session`."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite database file."""

    path: Path
    attempts: ClassVar[int] = 1
    """What fails in a file fails again."""

    def __str__(self) -> str:
        """The URL of the file."""
        return f"sqlite:///{self.path}"

    def open(self, *, read_only: bool) -> Session:
        """Open a connection of the calling thread's own.

        Durability is SQLite's strongest: a commit is in the write-ahead log and synced
        before it returns (https://sqlite.org/pragma.html#pragma_synchronous).
        Raises DatabaseUnusable.
        """
        database = SqliteDatabase(
            str(self.path),
            autoconnect=False,
            check_same_thread=False,  # closed by whichever thread stops the store
            pragmas={
                "busy_timeout": BUSY_TIMEOUT_MS,
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": "on",
                "cache_size": -16_000,  # KiB
                "query_only": "on" if read_only else "off",
            },
        )
        try:
            database.connect()
        except PeeweeException as error:
            raise DatabaseUnusable(f"the database {self.path} does not open: {error}") from error
        return SqliteSession(database)

    def make(self) -> None:
        """Make the folder that the file is to be in."""
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def require(self) -> None:
        """Raises FileNotFoundError without the file, which opening would make."""
        if not self.path.exists():
            raise FileNotFoundError(f"there is no database {self.path}")

    def changing_schema(self, session: Session) -> AbstractContextManager[Any]:
        """See `DatabaseAddress`: the write transaction is the lock."""
        return session.database.atomic("IMMEDIATE")
