"""The Watches of the users who read, of which a few are open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from symphony_client.cache.keys import Identity
from symphony_client.cache.watching import Watching
from symphony_client.data_source import DataSource

MAX_WATCHES: Final = 64
"""Each is a stream that the server holds, and it holds 2000 for all its clients (`max_streams`):
thirty sources like this one fit."""
SHORTEST_WATCH_SECONDS: Final = 1.0
"""So long a Watch stays, whoever else would read. With more users at a time than Watches each
read would open one and close another, which costs the server more than the read."""

Changed = Callable[[Identity, str], None]
Lost = Callable[[Identity], None]


class Watches:
    """A Watch for each user that reads, opened with its first read. When there are too many, the
    user that did not read for longest gives way.
    """

    def __init__(self, *, changed: Changed, lost: Lost, timer: Callable[[], float]) -> None:
        """`changed` is called with whose Watch told that what has changed; `lost` with whose
        Watch was live and is no more.
        """
        self._changed = changed
        self._lost = lost
        self._timer = timer
        self._watches: OrderedDict[Identity, Watching] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._watches)

    def of(self, identity: Identity, source: DataSource) -> Watching | None:
        """The user's Watch, opened with its own `source` if need be; None if there is no room."""
        watching = self._watches.get(identity)
        if watching is None and self._make_room():
            watching = self._watches[identity] = self._open(identity, source)
        if watching is not None:
            self._watches.move_to_end(identity)
        return watching

    async def close(self) -> None:
        """End all, and open no more."""
        self._closed = True
        while self._watches:
            self._watches.popitem()[1].stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _make_room(self) -> bool:
        if self._closed:
            return False
        if len(self._watches) >= MAX_WATCHES:
            identity, oldest = next(iter(self._watches.items()))
            if self._timer() - oldest.opened_at < SHORTEST_WATCH_SECONDS:
                return False
            del self._watches[identity]
            oldest.stop()
        return True

    def _open(self, identity: Identity, source: DataSource) -> Watching:
        watching = Watching(
            source,
            changed=partial(self._changed, identity),
            lost=partial(self._lost, identity),
            timer=self._timer,
        )
        self._tasks.add(watching.task)
        watching.task.add_done_callback(self._tasks.discard)
        return watching
