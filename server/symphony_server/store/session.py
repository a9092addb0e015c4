"""A connection of one thread's own, and what each engine does in its own way.

Statements are the same on every engine. What is not, is here: how a batch begins and
commits, how a snapshot is held, and which errors mean that the connection is not to be
trusted any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from peewee import Database

from symphony_server.store.replication import Standby


class DatabaseUnusable(RuntimeError):
    """The database is named rightly, but does not open: no SQLite file, no space, no right, no
    server.
    """


def on_a_line(said: object) -> str:
    """What an engine says, an error or a text, on one line."""
    return "; ".join(line.strip() for line in str(said).splitlines() if line.strip())


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    rowcount: int

    def fetchone(self) -> Any:
        """The next row, or None."""

    def close(self) -> None:
        """Give up the rows that are left."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""


class Session(Protocol):
    """An open connection. Used by one thread at a time."""

    @property
    def database(self) -> Database:
        """Whose SQL is written; its own connection is this one."""

    written: bool
    """Set by every statement that writes; whoever looks at it clears it before."""

    @property
    def bounds_parts(self) -> bool:
        """True when a part of a UNION may be sorted and limited by itself, and so may one of
        FROM for each row of those before it (LATERAL).
        """

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What executing and fetching raise."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run a statement."""

    def stream(self, sql: str, parameters: Sequence[Any], /) -> Iterator[Any]:
        """The rows of a statement, in a snapshot, as they are asked for: not all in memory."""

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters."""

    def begin_batch(self) -> None:
        """Begin a transaction in which nobody else writes; may wait for another's to end."""

    def prepare_commit(self, *, changed: bool) -> None:
        """Do what is to be done last before COMMIT; `changed` when the change log grew."""

    def commit(self) -> None:
        """Make the batch durable. Where it raises, the outcome is unknown."""

    def begin_snapshot(self) -> None:
        """Begin to read as of one moment."""

    def end_snapshot(self) -> None:
        """End what `begin_snapshot` began."""

    def standbys(self) -> list[Standby]:
        """Who copies the database at this moment, as far as it tells."""

    def ended_by(self, error: Exception) -> bool:
        """True when an error is the database's and not the statement's: the transaction, and
        the connection with it, is not to be used any more.
        """

    def close(self) -> None:
        """Close the connection; from any thread, and never raises."""


class DatabaseAddress(Protocol):
    """Where a database is."""

    @property
    def attempts(self) -> int:
        """How often a batch or a query is tried in all while it certainly left no trace."""

    def __str__(self) -> str:
        """The address as it may be shown: without a password."""

    def open(self, *, read_only: bool) -> Session:
        """Open a connection of the calling thread's own. Raises DatabaseUnusable."""

    def make(self) -> None:
        """Make what has to be there before the first connection."""

    def require(self) -> None:
        """Raises FileNotFoundError where there is certainly no database."""

    def changing_schema(self, session: Session) -> AbstractContextManager[Any]:
        """A transaction in which no other process changes the schema; waits for another's."""
