"""How many calls are under way, and how many may be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


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
    """True once the server takes no new streams, and holds new calls back."""
    held: int = 0
    """New calls that were held back so far."""
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the clients have been told to go elsewhere: what was held back is answered then."""
