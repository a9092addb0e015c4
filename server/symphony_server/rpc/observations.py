"""What is counted of calls: how many, how they ended, how long they took.

Counted on the event loop's thread, with no lock; another thread may read a copy.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import grpc

from symphony_server.histogram import DURATION_BOUNDS_NS, Histogram
from symphony_server.use_cases.call import Call


def _durations() -> Histogram:
    return Histogram(DURATION_BOUNDS_NS)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused call that can be looked up elsewhere."""

    decision_id: str
    trace_id: str
    at_seconds: float
    """When it was counted, in seconds since 1970."""


@dataclass(slots=True)
class Observations:
    """Counts of one process since it started."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(method, status code's name) → calls."""
    refusals: Counter[str] = field(default_factory=Counter)
    """ErrorReason without its prefix → calls."""
    decisions: Counter[str] = field(default_factory=Counter)
    """What the audit record says, `allowed`, `validated`, `denied` or `failed` → calls with one."""
    durations: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(_durations))
    """Method → nanoseconds spent in each of its calls, waiting included."""
    last_refused: dict[str, Refusal] = field(default_factory=dict)
    """ErrorReason without its prefix → the last call refused so that has an audit record."""

    def add(
        self, call: Call, code: grpc.StatusCode, reason: str, took_ns: int, trace_id: str
    ) -> None:
        """Count a call that ended."""
        method, decision_id = call.method, call.decision_id
        self.calls[method, code.name] += 1
        self.durations[method].add(took_ns)
        if reason:
            self.refusals[reason] += 1
            if decision_id:
                self.decisions["failed" if reason == "INTERNAL" else "denied"] += 1
                self.last_refused[reason] = Refusal(decision_id, trace_id, time.time())
        elif decision_id:
            # Only a write that was made has a revision.
            self.decisions["validated" if call.revision is None else "allowed"] += 1
