"""One reads one's own writes: until the replica has them it does not answer."""

from __future__ import annotations

import asyncio


class OwnWrites:
    """How far the replica is, and how far it must be for this source's reads."""

    def __init__(self, *, wait_seconds: float) -> None:
        """A read waits at most so long for the replica to catch up with a write."""
        self._wait_seconds = wait_seconds
        self._written = 0
        """The revision of the last own write."""
        self._applied = -1
        self._overdue = 0
        """The own write that was waited for in vain: the next read does not wait again."""
        self._waiting: set[asyncio.Future[None]] = set()

    def wrote(self, revision: int) -> None:
        """A write was answered with this revision."""
        self._written = max(self._written, revision)

    def applied(self, revision: int) -> None:
        """The replica has everything up to a revision; it may be an earlier one than before,
        after a fresh start.
        """
        self._applied = revision
        if revision >= self._written:
            self._wake()

    def give_up(self) -> None:
        """Nothing comes any more for now: nobody need wait."""
        self._overdue = self._written
        self._wake()

    def forget(self, written: int) -> None:
        """A store that was restored to before `written`, and has not got so far again, has lost
        that write: it is not waited for. Later writes are.
        """
        if self._written == written:
            self._written = 0

    @property
    def last(self) -> int:
        """The revision of the last own write."""
        return self._written

    async def are_applied(self, *, may_wait: bool) -> bool:
        """Whether the replica has every write that was answered by now; waits for it a little if
        it `may_wait`.
        """
        written = self._written
        if not may_wait or self._applied >= written or self._overdue >= written:
            return self._applied >= written
        loop = asyncio.get_running_loop()
        end = loop.time() + self._wait_seconds
        while self._applied < written and self._overdue < written:
            remaining = end - loop.time()
            if remaining <= 0:
                self._overdue = max(self._overdue, written)
                break
            woken: asyncio.Future[None] = loop.create_future()
            self._waiting.add(woken)
            try:
                await asyncio.wait((woken,), timeout=remaining)
            finally:
                self._waiting.discard(woken)
        return self._applied >= written

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
