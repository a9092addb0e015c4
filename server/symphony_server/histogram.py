"""Counts of values by size."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

NS_PER_SECOND: Final = 1_000_000_000
DURATION_BOUNDS_NS: Final = tuple(
    round(seconds * NS_PER_SECOND)
    for seconds in (
        *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    )
)
"""From less than a read takes to more than anybody waits."""


class Histogram:
    """Counts values by the first bound that they do not exceed.

    One thread adds, with no lock; another may read, and sees each value a moment later.
    """

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: Sequence[int]) -> None:
        """Take the buckets' upper bounds, the lowest first."""
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.sum = 0
        """All values together."""

    def add(self, value: int) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[int]:
        """How many values were at most each bound, and last how many there were."""
        return list(accumulate(self._counts[:]))
