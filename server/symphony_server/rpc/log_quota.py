"""Bounds how many lines a second the log gets of refused calls: anybody can have calls refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LINES_A_SECOND: Final = 100
_SECOND_NS: Final = 1_000_000_000


class LogQuota:
    """Lines of this second; lives on the event loop's thread."""

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Take a clock that never goes back."""
        self._clock_ns = clock_ns
        self._until_ns = 0
        self._left = 0
        self._skipped = 0

    def take(self) -> int | None:
        """How many lines were left out before this one, if it may be written."""
        now_ns = self._clock_ns()
        if now_ns >= self._until_ns:
            self._until_ns, self._left = now_ns + _SECOND_NS, LINES_A_SECOND
        if not self._left:
            self._skipped += 1
            return None
        self._left -= 1
        skipped, self._skipped = self._skipped, 0
        return skipped
