"""The two doors of the store: `write` for commands, `read` for queries.

A command does everything that must be atomic; `write_door.py` says how commands become
batches, `read_door.py` how queries are run, `sqlite_store.py` and `postgresql_store.py` which
threads and connections there are for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from symphony_server.store.transaction import Snapshot, Transaction
from symphony_server.store.write_counts import WriteCounts

T = TypeVar("T")


class Store(Protocol):
    """What the use cases see of the store, and what starts and stops it."""

    committed: Callable[[], None]
    """Called on the event loop when something may have been committed, here or elsewhere."""

    @property
    def batches(self) -> int:
        """How many transactions were committed here."""

    @property
    def counts(self) -> WriteCounts:
        """More of them, for those who watch over the server."""

    @property
    def queued(self) -> int:
        """How many commands wait for the next transaction."""

    def start(self) -> None:
        """Open the connections; to be called on the event loop's thread. Raises
        DatabaseUnusable.
        """

    async def close(self) -> None:
        """Finish the commands that wait, then close every connection."""

    async def write(self, command: Callable[[Transaction], T]) -> T:
        """Run a command in a transaction and return its result once it is durable.

        `command` is plain synchronous code, called in another thread, and once more where
        the database failed before it could commit. What it raises is raised here, and
        everything it did is undone. Raises Refused with STORE_UNAVAILABLE when the database
        fails, in which case the outcome is unknown, and with OVERLOADED when too many
        commands wait. A caller that is cancelled before its command starts costs nothing;
        after that the command commits all the same.
        """

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """Run a query of any length on one snapshot. Never blocks a writer."""

    async def point_read(self, query: Callable[[Snapshot], T]) -> T:
        """Run a query that reads a handful of rows by key. Each statement of it sees every
        write answered before.
        """
