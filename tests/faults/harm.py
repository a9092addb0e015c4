"""What one attack did to a server and to whoever else calls it, and what it may do at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_GROWTH_MIB: Final = 384.0
"""Most of it is what the allocator keeps for the next time."""
MAX_MEDIAN_SECONDS: Final = 0.25
MAX_LONGEST_SECONDS: Final = 2.0
"""The machine is the attacker's too, who takes a core of it."""
MAX_REFUSED: Final = 0.3
"""The part of the bystander's calls that is turned away: few, while thousands come at once. To tell
floods from callers is for what stands before a server."""
MAX_LOG_MIB: Final = 1.0
MAX_RECOVERY_SECONDS: Final = 30.0
"""A handshake may take 10 s, and a connection is probed for 20 s before it is given up."""


@dataclass
class Seen:
    """What one attack did."""

    name: str
    times: int = 0
    growth_mib: float = 0
    """The server's memory at most, beyond what it was before."""
    took: list[float] = field(default_factory=list)
    """Seconds of each of the bystander's calls."""
    refused: int = 0
    """Of the bystander's calls."""
    log_mib: float = 0
    recovery_seconds: float = float("inf")
    """Until the files that the server has open were those from before."""

    def latency(self, part: float) -> float:
        """The seconds that this part of the bystander's calls took at most."""
        took = sorted(self.took)
        return took[min(int(len(took) * part), len(took) - 1)] if took else float("inf")

    @property
    def wrong(self) -> list[str]:
        """Which bounds it broke."""
        median, longest = self.latency(0.5), self.latency(1)
        found = {
            f"memory grew by {self.growth_mib:.0f} MiB": self.growth_mib > MAX_GROWTH_MIB,
            f"the bystander's p50 was {median:.2f} s": median > MAX_MEDIAN_SECONDS,
            f"one of the bystander's calls took {longest:.1f} s": longest > MAX_LONGEST_SECONDS,
            f"{self.refused} of the bystander's calls were turned away": (
                self.refused > MAX_REFUSED * (self.refused + len(self.took))
            ),
            f"the log grew by {self.log_mib:.1f} MiB": self.log_mib > MAX_LOG_MIB,
            "not all connections are gone": self.recovery_seconds > MAX_RECOVERY_SECONDS,
            "it did nothing": not self.times,
        }
        return [f"{self.name}: {said}" for said, holds in found.items() if holds]
