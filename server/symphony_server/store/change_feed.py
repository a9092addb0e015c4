"""The end of the change log in memory, read once for all who follow it.

Lives on the event loop's thread. Nothing is read while nobody follows.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from symphony_server.refusal import Refused
from symphony_server.store.change_log import Entry
from symphony_server.store.doors import Store

_log = logging.getLogger(__name__)

KEPT_CHANGES: Final = 4096
KEPT_BYTES: Final = 16 * 1024 * 1024
"""A follower that falls behind more than this reads the log by itself."""
BATCH: Final = 256
"""Changes handed out together: a stop or a revocation is seen between two batches."""
RETRY_SECONDS: Final = 0.5
POLL_SECONDS: Final = 1.0
"""How long a commit that was not announced can stay unseen."""


@dataclass(slots=True)
class Shared:
    """A change, and what followers made of it, so that each thing is made once for all."""

    entry: Entry
    written: dict[int, bytes] = field(default_factory=dict)
    """Change operation → the message that tells it."""


class ChangeFeed:
    """Hands the latest changes to any number of followers."""

    def __init__(self, store: Store) -> None:
        """Take the store whose change log it is."""
        self._store = store
        self._kept: list[Shared] = []
        """The last changes, the earliest first."""
        self._floor = 0
        """The revision after which every change up to `revision` is kept."""
        self._bytes = 0
        self._followers = 0
        self._woken = asyncio.Event()
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self.revision = 0
        """The last revision that followers can have; behind the store's while nobody follows."""
        self.closed = False

    @property
    def followed(self) -> bool:
        """Whether anybody follows; nothing is read otherwise, and `revision` stands still."""
        return self._followers > 0

    @contextmanager
    def following(self, revision: int) -> Iterator[None]:
        """Follow for as long as the block lasts; `revision` is the store's own, or was."""
        if not self._followers:
            self._kept, self._bytes = [], 0
            self._floor = self.revision = revision
        self._followers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        self._woken.set()
        try:
            yield
        finally:
            self._followers -= 1

    def committed(self) -> None:
        """Something was written."""
        if self._followers:
            self._woken.set()

    def after(self, revision: int) -> list[Shared] | None:
        """The next changes after a revision, some of them; None when they are no longer kept."""
        if revision >= self.revision:
            return []
        if revision < self._floor:
            return None
        start = bisect_right(self._kept, revision, key=_revision_of)
        return self._kept[start : start + BATCH]

    async def wait(self, revision: int, timeout_seconds: float) -> None:
        """Return when there is a later revision, when the feed is closed, or in time."""
        if self.revision <= revision and not self.closed:
            await asyncio.wait((self._next,), timeout=timeout_seconds)

    async def close(self) -> None:
        """End the followers' waiting; they see that it is `closed`."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._announce()

    def _announce(self) -> None:
        announced, self._next = self._next, asyncio.get_running_loop().create_future()
        announced.set_result(None)

    async def _read(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                while self._followers and await self._read_on():
                    pass
            except Refused:
                _log.warning("the change log could not be read; trying again")
                await asyncio.sleep(RETRY_SECONDS)
                self._woken.set()

    async def _read_on(self) -> bool:
        revision = self.revision
        entries = await self._store.read(lambda snapshot: snapshot.changes.since(revision, BATCH))
        if not entries or revision != self.revision:
            return revision != self.revision
        self._kept += [Shared(entry) for entry in entries]
        self._bytes += sum(len(entry.resource) for entry in entries)
        surplus = 0
        while len(self._kept) - surplus > KEPT_CHANGES or (
            self._bytes > KEPT_BYTES and surplus < len(self._kept)
        ):
            self._bytes -= len(self._kept[surplus].entry.resource)
            surplus += 1
        if surplus:
            self._floor = self._kept[surplus - 1].entry.revision
            del self._kept[:surplus]
        self.revision = entries[-1].revision
        self._announce()
        return True


def _revision_of(shared: Shared) -> int:
    return shared.entry.revision
