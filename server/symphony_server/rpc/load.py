"""How many calls are under way, and how many may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Load:
    """Counts calls under way; lives on the event loop's thread."""

    max_calls: int
    calls: int = 0
    stopping: bool = False
    """True once the server takes no new calls."""
