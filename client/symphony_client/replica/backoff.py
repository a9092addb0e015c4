"""How long to wait before the next try: longer each time, within bounds, and never all at once."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double; each is a random part of its length, so that the clients that one
    server lost do not come back together.
    """

    first_seconds: float = 0.1
    longest_seconds: float = 5.0

    def seconds(self, failures: int) -> float:
        """The pause after so many failures in a row, of which there is at least one."""
        longest = self.first_seconds * 2 ** min(failures - 1, 32)
        return random.uniform(0, min(longest, self.longest_seconds))  # noqa: S311 - no secret
