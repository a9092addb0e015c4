"""What was read a moment ago, and may still be believed.

`cachetools.TTLCache` would do, and does in the client; asked on every call it costs 2.4 µs, and
several times that between other work, when its code and its lock are in no processor cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SECOND_NS: Final = 1_000_000_000


class FreshCache(Generic[K, V]):
    """Values for a while. Used by one thread; what is stale is dropped within twice that while, as
    long as anything is added.
    """

    def __init__(
        self, entries: int, seconds: float, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Keep at most so many, each for so long on a clock that never goes back."""
        self._entries = entries
        self._lasts_ns = round(seconds * SECOND_NS)
        self._clock_ns = clock_ns
        self._kept: dict[K, tuple[int, V]] = {}
        self._sweep_at_ns = 0
        self.epoch = 0
        """Changes with every `clear`: what was read before one is not to be added after it."""

    def __len__(self) -> int:
        """How many are kept, stale ones included."""
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value that was added for the key, while it is fresh."""
        kept = self._kept.get(key)
        if kept is None or kept[0] <= self._clock_ns():
            return None
        return kept[1]

    def add(self, key: K, value: V, *, epoch: int) -> None:
        """Keep a value that was read in an epoch, unless that is over."""
        if epoch != self.epoch:
            return
        now_ns = self._clock_ns()
        if now_ns >= self._sweep_at_ns:
            self._sweep_at_ns = now_ns + self._lasts_ns
            self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now_ns}
        if len(self._kept) >= self._entries:
            self._kept.clear()
        self._kept[key] = now_ns + self._lasts_ns, value

    def clear(self) -> None:
        """Forget everything, and what is being read now."""
        self._kept.clear()
        self.epoch += 1
