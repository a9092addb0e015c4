"""What is counted of the writes: how many, how many at once, how long a transaction took.

Counted on the writer's thread, with no lock; another thread may read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from symphony_server.histogram import DURATION_BOUNDS_NS, Histogram

SIZE_BOUNDS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(slots=True)
class WriteCounts:
    """Counts of one store since it started."""

    sizes: Histogram = field(default_factory=lambda: Histogram(SIZE_BOUNDS))
    """Commands in each transaction that was committed, those refused included."""
    durations: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS_NS))
    """Nanoseconds that each of them took, from its beginning until it was durable."""
    failed: int = 0
    """Transactions that the database failed."""
    revision: int = 0
    """The store's revision as of the last transaction here."""
    audit_records: int = 0
    """How many records the audit log had as of the last transaction here."""

    def committed(self, commands: int, took_ns: int) -> None:
        """Count a transaction that was committed."""
        self.sizes.add(commands)
        self.durations.add(took_ns)
