"""How much pre-validation did and what it cost, for the whole process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RequestStats:
    """What was counted: of one kind of request, or of all."""

    checked: int = 0
    """How many requests were looked at."""
    refused: int = 0
    """How many of them were refused, each one a call saved."""
    total_seconds: float = 0.0
    """How long looking at all of them took."""
    longest_seconds: float = 0.0
    """How long looking at one took at most; the first of its kind compiles the rules."""


@dataclass(frozen=True, slots=True)
class Stats(RequestStats):
    """The counts of all requests, and of each kind of them."""

    by_request: Mapping[str, RequestStats] = field(default_factory=dict)
    """The counts by the message's name, for example `CreateWorkflowRequest`."""


@dataclass(slots=True)
class _Counts:
    """The same, while it is counted."""

    checked: int = 0
    refused: int = 0
    total_seconds: float = 0.0
    longest_seconds: float = 0.0


class StatsRecorder:
    """Counts; safe to use from many threads at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_request: dict[str, _Counts] = {}

    def record(self, request_name: str, *, seconds: float, refused: bool) -> None:
        """Counts one request."""
        with self._lock:
            counts = self._by_request.get(request_name)
            if counts is None:
                counts = self._by_request[request_name] = _Counts()
            counts.checked += 1
            counts.refused += refused
            counts.total_seconds += seconds
            if seconds > counts.longest_seconds:
                counts.longest_seconds = seconds

    def read(self) -> Stats:
        """Returns the counts as they are now; they do not change any more."""
        with self._lock:
            by_request = {
                name: RequestStats(
                    counts.checked, counts.refused, counts.total_seconds, counts.longest_seconds
                )
                for name, counts in self._by_request.items()
            }
        return Stats(
            checked=sum(one.checked for one in by_request.values()),
            refused=sum(one.refused for one in by_request.values()),
            total_seconds=sum(one.total_seconds for one in by_request.values()),
            longest_seconds=max((one.longest_seconds for one in by_request.values()), default=0.0),
            by_request=MappingProxyType(by_request),
        )


@cache
def process_stats() -> StatsRecorder:
    """Returns the recorder that all channels of this process share."""
    return StatsRecorder()


def stats() -> Stats:
    """Returns what pre-validation did in this process so far, over all channels."""
    return process_stats().read()
