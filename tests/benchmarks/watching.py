"""Many watches of one server: how soon all are told of a change, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.benchmarks.asked import Asked
from tests.benchmarks.generator import watching
from tests.benchmarks.load import Outcome
from tests.benchmarks.processes import cpu_seconds, memory_kib, serving

CONNECTIONS: Final = 20
INTERVAL_SECONDS: Final = 0.5
"""From one change to the next, so that they do not wait for each other."""
PRACTICE_STREAMS: Final = 20


@dataclass
class Fanout:
    """What watches cost one server, round by round."""

    where: str
    url: str
    directory: Path
    asked: Asked
    streams: int
    changes: int
    p50_ms: list[float] = field(default_factory=list)
    """From the moment that a change is asked for until a stream has it."""
    p99_ms: list[float] = field(default_factory=list)
    kib: list[float] = field(default_factory=list)
    """The server's memory a stream."""
    delivery_us: list[float] = field(default_factory=list)
    """The server's CPU a delivery: the change, and the checkpoint that follows it."""
    _first_name: int = 50_000_000

    def run_round(self) -> None:
        """Start a server, open the streams, make the changes.

        A new server each time: one that has had many streams, or other calls, has memory to spare
        for the next ones.
        """
        with serving(self.directory, self.url) as (process_id, target):
            self._watch(process_id, target, PRACTICE_STREAMS, 1)  # what the first one loads stays
            idle_kib = memory_kib(process_id)
            open_kib, seconds, outcome = self._watch(process_id, target, self.streams, self.changes)
        self.kib.append((open_kib - idle_kib) / self.streams)
        self.delivery_us.append(seconds / (self.changes * self.streams) * 1e6)
        self.p50_ms.append(outcome.p50_us / 1000)
        self.p99_ms.append(outcome.p99_us / 1000)

    def _watch(
        self, process_id: int, target: str, streams: int, changes: int
    ) -> tuple[int, float, Outcome]:
        """The server's memory while the streams are open, its CPU for the changes, and how soon
        the streams had them.
        """
        plan = self.asked.watch_plan(
            target,
            streams=streams,
            calls=changes,
            connections=min(CONNECTIONS, streams),
            interval_seconds=INTERVAL_SECONDS,
            first_name=self._first_name,
        )
        self._first_name += changes
        with watching(plan) as streams_open:
            kib = memory_kib(process_id)
            before = cpu_seconds(process_id)
            outcome = streams_open.make_changes()
            used = cpu_seconds(process_id) - before
        return kib, used, outcome
