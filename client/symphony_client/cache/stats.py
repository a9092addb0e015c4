"""Whether the cache pays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class CacheStats:
    """What became of the reads that may be answered from the cache, of all users together."""

    hits: int = 0
    """Answered with what was kept."""
    waits: int = 0
    """Answered with what a call under way brought."""
    misses: int = 0
    """Answered by a call of their own."""
    unwatched: int = 0
    """Those of the misses whose answer could not be kept, because no Watch was live. If they stay
    near all of them, the user may not watch, or the source has no feed: the cache does nothing."""
    dropped: int = 0
    """Entries that went before their time: changed, written, or their Watch lost."""
