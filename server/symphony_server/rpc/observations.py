"""What is counted of calls: how many, how they ended, how long they took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observations:
    """Counts of one process since it started; lives on the event loop's thread."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(method, status code's name) → calls."""
    refusals: Counter[str] = field(default_factory=Counter)
    """ErrorReason without its prefix → calls."""
    nanoseconds: Counter[str] = field(default_factory=Counter)
    """Method → time spent in its calls, waiting included."""
