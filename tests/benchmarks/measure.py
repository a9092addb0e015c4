"""Measures servers side by side: CPU a call, and calls a second, in interleaved rounds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.load import Plan

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Subject:
    """One kind of call on one server process."""

    name: str
    process_id: int
    plan: Plan
    cpu_us: list[float] = field(default_factory=list)
    """The server's CPU a call, in microseconds, round by round."""
    rates: list[float] = field(default_factory=list)
    """Calls a second, round by round."""

    def run_round(self) -> None:
        """Make the plan's calls once and note what they cost."""
        before = cpu_seconds(self.process_id)
        seconds = make_calls(self.plan)
        used = cpu_seconds(self.process_id) - before
        self.cpu_us.append(used / self.plan.calls * 1e6)
        self.rates.append(self.plan.calls / seconds)
        self.plan.first_name += self.plan.calls

    def ratios_to(self, other: Subject) -> list[float]:
        """This one's CPU as a multiple of another's, round by round."""
        return [mine / theirs for mine, theirs in zip(self.cpu_us, other.cpu_us, strict=True)]


def make_calls(plan: Plan) -> float:
    """The seconds that a plan's calls took, made by a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"],
        input=plan.model_dump_json(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    return float(done.stdout)


def measure(subjects: Sequence[Subject], rounds: int) -> None:
    """Run every subject once a round, so that what drifts drifts for all."""
    for subject in subjects:
        make_calls(subject.plan)  # warm up
        subject.plan.first_name += subject.plan.calls
    for _ in range(rounds):
        for subject in subjects:
            subject.run_round()


def cpu_seconds(process_id: int) -> float:
    """The CPU time, user and system, that a process has used with all its threads."""
    stat = Path(f"/proc/{process_id}/stat").read_text()
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_SECONDS


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, the smallest and the largest."""
    return statistics.median(values), min(values), max(values)
