"""How many calls are under way, and how many may be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from symphony_server.rpc.admission import Admission


@dataclass(slots=True)
class Load:
    """Counts calls under way; lives on the event loop's thread."""

    max_calls: int
    max_streams: int
    max_streams_per_user: int
    calls: int = 0
    """Calls that are answered once."""
    streams: int = 0
    """Calls that last: they cost little while nothing happens, so they are counted apart."""
    streams_by_user: Counter[str] = field(default_factory=Counter)
    """The same, of each user who has any."""
    stopping: bool = False
    """True once the server takes no new streams, and holds new calls back."""
    held: int = 0
    """New calls that were held back so far."""
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the clients have been told to go elsewhere: what was held back is answered then."""
    admission: Admission = field(init=False)
    """How many may be under way."""
    short: bool = False
    """True while there is no room for another: `make_room` is to be called as one ends."""
    make_room: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        """Admit as many as may be under way."""
        self.admission = Admission(self.max_calls)
