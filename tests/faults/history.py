"""What callers did and were told, in the order in which it happened."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Final

UNKNOWN: Final = "UNKNOWN"
"""The reason of a call that was given up: it may have been done or not."""


@dataclass(frozen=True)
class Person:
    """Somebody who calls."""

    name: str
    user_id: str
    is_admin: bool = False


@dataclass
class Call:
    """One call: when it began and ended, and how."""

    person: Person
    request: Any
    invoked: int
    """Moments are numbered: a call that ended before another began has the smaller number."""
    responded: int = 0
    response: Any = None
    reason: str = ""
    """Why it was refused; empty when it was allowed."""
    revision: int | None = None
    """The store's revision after it, as its answer told: of a write that was allowed."""

    @property
    def is_read(self) -> bool:
        return type(self.request).__name__.startswith(("Get", "List"))

    def __str__(self) -> str:
        what = type(self.request).__name__.removesuffix("Request")
        ended = self.reason or (f"revision {self.revision}" if self.revision else "allowed")
        return f"{what} by {self.person.name} [{self.invoked}, {self.responded}] {ended}"


@dataclass(frozen=True)
class Told:
    """A change as a watcher was told it."""

    revision: int
    operation: str
    """`CREATED`, `UPDATED` or `DELETED`."""
    resource_id: str
    resource: Any
    """The workflow or the member after it; None when DELETED."""
    request_id: str = ""


@dataclass
class Watched:
    """What one watcher was told, from the start to the end."""

    person: Person
    changes: list[Told] = field(default_factory=list)


@dataclass
class History:
    """A run."""

    start_revision: int
    start: dict[str, Any]
    """The workflows and members that there were: id → resource."""
    end_revision: int
    calls: list[Call]
    watches: list[Watched]


class Moments:
    """Numbers moments, for those who record."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def now(self) -> int:
        return next(self._count)
