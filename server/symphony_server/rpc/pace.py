"""How long calls of a method take at present, at the least."""

from __future__ import annotations

from typing import Final

WINDOW_NS: Final = 1_000_000_000


class Pace:
    """The fastest of the calls that were answered in the last second or two.

    What even the fastest did not do in time the next one will not; and as soon as none has been
    answered for two seconds nothing is known, so that slow calls do not bar those after them.
    """

    __slots__ = ("_before_ns", "_now_ns", "_until_ns")

    def __init__(self) -> None:
        """Know nothing."""
        self._before_ns = self._now_ns = 0
        self._until_ns = 0

    def answered(self, took_ns: int, now_ns: int) -> None:
        """Count a call that has been answered, on the monotonic clock."""
        if now_ns >= self._until_ns:
            self._turn(now_ns)
        if took_ns < self._now_ns or not self._now_ns:
            self._now_ns = took_ns

    def fastest_ns(self, now_ns: int) -> int:
        """Nanoseconds from a call's arrival to its answer; 0 if nothing is known."""
        if now_ns >= self._until_ns:
            self._turn(now_ns)
        if self._now_ns and self._before_ns:
            return min(self._now_ns, self._before_ns)
        return self._now_ns or self._before_ns

    def _turn(self, now_ns: int) -> None:
        recent = now_ns - self._until_ns < WINDOW_NS
        self._before_ns, self._now_ns = (self._now_ns if recent else 0), 0
        self._until_ns = now_ns + WINDOW_NS
