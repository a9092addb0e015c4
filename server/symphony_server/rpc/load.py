"""How many calls are under way, and how many may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Load:
    """Counts calls under way; lives on the event loop's thread."""

    max_calls: int
    max_streams: int
    calls: int = 0
    """Calls that are answered once."""
    streams: int = 0
    """Calls that last: they cost little while nothing happens, so they are counted apart."""
    stopping: bool = False
    """True once the server takes no new calls."""
