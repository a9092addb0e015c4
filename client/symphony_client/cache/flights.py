"""Calls under way, of which all who want the same answer share one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from google.protobuf.message import Message

from symphony_client.cache.keys import Key
from symphony_client.errors import NetworkError

Call = Callable[[], Awaitable[Message]]
Keep = Callable[[Key, Message], None]


class Flight:
    """One call, which goes on for as long as anybody waits for it."""

    def __init__(self, key: Key, call: Call, keep: Keep | None) -> None:
        """Begin the call with the loop's next turn, and `keep` the answer if given and not
        overtaken before it came.
        """
        self._key = key
        self._call = call
        self._keep = keep
        self._begun = False
        self._waiting = 0
        self.task = asyncio.create_task(self._fly())

    @property
    def knows_of_changes(self) -> bool:
        """Whether its answer was sure to be kept so far: no change came since it began."""
        return self._keep is not None

    @property
    def is_to_begin(self) -> bool:
        """Whether the call was not made yet, so that its answer will have all that is so now."""
        return not self._begun

    def be_overtaken(self) -> None:
        """Something changed: the answer goes to those who wait, and is not kept."""
        self._keep = None

    async def answer(self) -> Message:
        """What the call returns or raises; it belongs to all who wait, and is not to be changed.

        Who is cancelled leaves the others alone; when nobody is left, the call is given up.
        """
        self._waiting += 1
        try:
            await asyncio.wait((self.task,))
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.task.cancel()
        if self.task.cancelled():
            raise NetworkError("the data source was closed before the answer came")
        return self.task.result()

    async def _fly(self) -> Message:
        self._begun = True
        message = await self._call()
        if self._keep is not None:
            self._keep(self._key, message)
        return message


class Flights:
    """The flights that may be joined, one a key."""

    def __init__(self, keep: Keep) -> None:
        """Keep answers so."""
        self._keep = keep
        self._by_key: dict[Key, Flight] = {}
        self._tasks: set[asyncio.Task[Message]] = set()

    def joinable(self, key: Key, *, live: bool) -> Flight | None:
        """The flight whose answer will do for who asks now.

        While it is heard of changes (`live`) that is one since whose start none came. Otherwise
        it must not have started.
        """
        flight = self._by_key.get(key)
        if flight is None or flight.task.done() or flight.task.cancelling():
            return None
        return flight if flight.is_to_begin or (live and flight.knows_of_changes) else None

    def begin(self, key: Key, call: Call, *, keeps: bool) -> Flight:
        """Make a call; from now on it is the one to be joined."""
        flight = Flight(key, call, self._keep if keeps else None)
        self._by_key[key] = flight
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda task: self._end(key, flight, task))
        return flight

    def overtake(self, keys: Iterable[Key]) -> None:
        """Something changed that concerns some keys: their flights are not joined from now on,
        and what they bring is not kept.
        """
        for key in keys:
            flight = self._by_key.pop(key, None)
            if flight is not None:
                flight.be_overtaken()

    def overtake_where(self, concerned: Callable[[Key], bool]) -> None:
        """The same for all keys of which it is true that they are concerned."""
        self.overtake([key for key in self._by_key if concerned(key)])

    async def close(self) -> None:
        """Give up all calls; who waits gets a NetworkError."""
        self._by_key.clear()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end(self, key: Key, flight: Flight, task: asyncio.Task[Message]) -> None:
        self._tasks.discard(task)
        if self._by_key.get(key) is flight:
            del self._by_key[key]
        if not task.cancelled():
            task.exception()  # has been seen, even if nobody waits any more
