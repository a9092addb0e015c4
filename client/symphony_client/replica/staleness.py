"""How old what is read may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staleness:
    """How far the replica is behind, as far as this side can know."""

    revision: int | None
    """The store's revision that reads are answered as of; None while they go to the server."""
    seconds: float | None
    """How long ago it was last known to have everything; None if it never was. On a quiet feed
    that is heard every few seconds only, and all is well; while it is disconnected it grows."""
    connected: bool
    """Whether the feed is being followed."""
