"""What an overload did to the calls that were answered, beside the peak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tests.faults.http2_load import Report

GOODPUT_GOAL: Final = 0.9
CALLS, IN_TIME, MORE_CALLERS = "10 x the calls", "10 x, within 500 ms", "10 x the callers"
FLOORS: Final = {CALLS: 0.15, IN_TIME: 0.05, MORE_CALLERS: 0.5}
"""Less of the peak is a collapse. Where calls come whatever becomes of them, that is far from the
goal of quality.md: on one core those that gRPC turns away have their price as well
(docs/decisions/0017)."""
MAX_SLOWDOWN: Final = 5.0
"""Of callers who wait when they are refused."""
ENOUGH_CORE: Final = 0.6
"""A server that had less of a core was slowed down by others, and is not judged."""
ONSET_SECONDS: Final = 1.0
"""In which a burst is taken in before it turns out to be more."""
WINDOW_SECONDS: Final = 0.1


@dataclass
class Seen:
    """One row of the table."""

    name: str
    report: Report
    core: float
    """The part of a core that the server had."""
    by_the_wall: bool = False
    """Whether the wall's time was taken, of which the server had this part."""

    @property
    def rate(self) -> float:
        """Calls answered in a second."""
        answered = len(self.report.answered) / self.report.seconds
        return answered / self.core if self.by_the_wall else answered

    def latency(self, part: float, *, after: float = 0) -> float:
        """Of the calls answered from then on, the seconds that this part of them took at most."""
        took = sorted(took for at, took in self.report.answered if at >= after)
        return took[int(len(took) * part)] if took else float("nan")

    def share(self, *codes: int) -> float:
        """The part of the calls that ended so."""
        ended = self.report.ended
        return sum(ended.get(code, 0) for code in codes) / max(1, sum(ended.values()))


@dataclass
class Outcome:
    """Everything seen of one method."""

    method: str
    peak: Seen
    overloads: list[Seen] = field(default_factory=list)
    recovery_seconds: float = float("inf")
    """From the end of the burst until as much is answered as at the peak, but for a tenth."""

    def goodput(self, seen: Seen) -> float:
        return seen.rate / self.peak.rate

    def slowdown(self, seen: Seen) -> float:
        return seen.latency(0.99, after=ONSET_SECONDS) / self.peak.latency(0.99)

    @property
    def collapsed(self) -> list[str]:
        """What is as it must never be."""
        wrong = [
            f"{self.method}, {seen.name}: {self.goodput(seen):.0%} of the peak, "
            f"{self.slowdown(seen):.1f} times its p99"
            for seen in self.overloads
            if seen.core > ENOUGH_CORE
            and (
                self.goodput(seen) < FLOORS[seen.name]
                or (seen.name == MORE_CALLERS and self.slowdown(seen) > MAX_SLOWDOWN)
            )
        ]
        if self.recovery_seconds == float("inf"):
            wrong.append(f"{self.method}: it did not recover")
        return wrong


def recovery(after: Seen, peak: Seen) -> float:
    counts = [0] * (int(after.report.seconds / WINDOW_SECONDS) + 1)
    for at, _ in after.report.answered:
        counts[int(at / WINDOW_SECONDS)] += 1
    for number, count in enumerate(counts):
        if count >= GOODPUT_GOAL * peak.rate * WINDOW_SECONDS:
            return (number + 1) * WINDOW_SECONDS
    return float("inf")
