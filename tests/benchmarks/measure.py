"""Measures servers side by side: CPU a call, and calls a second, in interleaved rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tests.benchmarks.generator import make_calls
from tests.benchmarks.instructions import counting
from tests.benchmarks.load import Outcome, Plan
from tests.benchmarks.processes import cpu_seconds


@dataclass
class Subject:
    """One kind of call on one server."""

    call: str
    """What is called, for example `GetWorkflow`."""
    where: str
    """What answers, for example `SQLite, 2 workers`."""
    process_id: int
    """The server's; what it starts is counted with it."""
    plan: Plan
    database_id: int | None = None
    """The process id of a database that works for the server."""
    units: int = 1
    """What one call counts for, for example the workflows of a transaction."""
    instructions: bool = False
    """Count millions of the server's instructions instead of seconds of its CPU."""
    cpu_us: list[float] = field(default_factory=list)
    """The server's CPU a call, in microseconds, round by round."""
    database_us: list[float] = field(default_factory=list)
    """The database's, likewise; empty where the server does that itself."""
    rates: list[float] = field(default_factory=list)
    """Calls a second, round by round."""
    p99_ms: list[float] = field(default_factory=list)

    def run_round(self) -> None:
        """Make the plan's calls once and note what they cost."""
        before = self._cpu()
        with self._counting() as counted:
            outcome = self._make_calls()
        after = self._cpu()
        self.plan.first_name += outcome.calls * self.plan.name_step
        done = outcome.calls * self.units
        used = counted[0] / 1e6 if self.instructions else after[0] - before[0]
        self.cpu_us.append(used / done * 1e6)
        if self.database_id is not None:
            self.database_us.append((after[1] - before[1]) / done * 1e6)
        self.rates.append(done / outcome.seconds)
        self.p99_ms.append(outcome.p99_us / 1000)

    def forget(self) -> None:
        """Take back the rounds so far: they were to warm up."""
        for values in (self.cpu_us, self.database_us, self.rates, self.p99_ms):
            values.clear()

    @property
    def all_cpu_us(self) -> list[float]:
        """The CPU of the server and of its database together, round by round."""
        if not self.database_us:
            return self.cpu_us
        return [mine + its for mine, its in zip(self.cpu_us, self.database_us, strict=True)]

    def _make_calls(self) -> Outcome:
        try:
            return make_calls(self.plan)
        except RuntimeError as error:
            error.add_note(f"That was {self.call}, {self.where}.")
            raise

    def _counting(self) -> AbstractContextManager[list[int]]:
        return counting(self.process_id) if self.instructions else nullcontext([])

    def _cpu(self) -> tuple[float, float]:
        database = 0.0 if self.database_id is None else cpu_seconds(self.database_id)
        return cpu_seconds(self.process_id), database


def measure(
    subjects: Sequence[Subject], rounds: int, told: Callable[[int], None] = lambda _: None
) -> None:
    """Run every subject once a round, so that what drifts drifts for all; once more before that,
    to warm up. `told` hears of each round that is over.
    """
    for number in range(rounds + 1):
        for subject in subjects:
            subject.run_round()
            if number == 0:
                subject.forget()
        told(number)


def ratios(these: Sequence[float], others: Sequence[float]) -> list[float]:
    """These figures as a multiple of others, round by round."""
    return [mine / theirs for mine, theirs in zip(these, others, strict=True)]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, the smallest and the largest."""
    return statistics.median(values), min(values), max(values)
