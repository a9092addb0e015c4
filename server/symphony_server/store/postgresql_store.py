"""The doors to a PostgreSQL database, which other servers may write to as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from symphony_server.store.change_announcements import ChangeAnnouncements
from symphony_server.store.postgresql import PostgresqlAddress
from symphony_server.store.read_door import ReadDoor
from symphony_server.store.transaction import Snapshot
from symphony_server.store.write_door import WriteDoor

T = TypeVar("T")

READ_THREADS: Final = 4
POINT_THREADS: Final = 4
"""Of their own, so that who may call is known however many lists are read."""


class PostgresqlStore(WriteDoor):
    """A writer thread, threads for each kind of read, and one that listens, each with a connection.
    See `Store`.
    """

    def __init__(self, address: PostgresqlAddress) -> None:
        """Prepare for a migrated database; `start` opens it."""
        super().__init__(address)
        self._reads = ReadDoor(
            address, self._failures, threads=READ_THREADS, name="store-read", one_moment=True
        )
        self._points = ReadDoor(
            address, self._failures, threads=POINT_THREADS, name="store-point", one_moment=False
        )

        self._announcements = ChangeAnnouncements(address, self._heard)

    def start(self) -> None:
        """See `Store.start`."""
        super().start()
        self._announcements.start()

    async def close(self) -> None:
        """See `Store.close`."""
        await super().close()
        for part in (self._announcements, self._reads, self._points):
            await self._loop.run_in_executor(None, part.close)

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.read`."""
        return await self._reads.read(query)

    async def point_read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.point_read`. Never on the event loop: a statement is a way to another
        machine and back.
        """
        return await self._points.read(query)

    def _heard(self) -> None:
        self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self.committed()
