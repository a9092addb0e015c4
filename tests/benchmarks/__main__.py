"""`make bench`: what the server's calls, watches and starts cost, beside a bare gRPC echo of the
same bytes, FastAPI and etcd; and what the client does before a call.

Prints tables and writes `build/bench.json`. Goals are the design's (quality.md).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tests.benchmarks import documents
from tests.benchmarks.asked import CALLS
from tests.benchmarks.calls import Served, Size, all_served, bench_calls, figures
from tests.benchmarks.client_rules import measure_acts
from tests.benchmarks.generator import generator
from tests.benchmarks.processes import ROOT, machine
from tests.benchmarks.results import Figure, Figures, name_of
from tests.benchmarks.starting import Starts
from tests.benchmarks.tables import (
    Shown,
    acts_table,
    calls_table,
    goals_table,
    starts_table,
    watch_table,
)
from tests.benchmarks.watching import Fanout

PARTS: Final = (*CALLS, "watch", "start", "client")
QUICK: Final = Size(rounds=2, seconds=0.3, streams=100, changes=3)
WATCH_ROUNDS: Final = 3
WATCH_P99_GOAL_MS: Final = 100.0
WATCH_KIB_GOAL: Final = 32.0
START_GOAL_SECONDS: Final = 1.5
IDLE_GOAL_MIB: Final = 120.0


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="less of everything, to try it out")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the tables and plots into docs/"
    )
    given = parser.parse_args()
    parts = given.only.split(",")
    if unknown := set(parts).difference(PARTS):
        parser.error(f"--only: {', '.join(sorted(unknown))} is not one of {', '.join(PARTS)}")
    size = QUICK if given.quick else Size()
    size = replace(size, rounds=given.rounds or size.rounds)
    shown = Output(Console(width=100))
    with tempfile.TemporaryDirectory() as directory:
        found = bench(Path(directory), parts, size, shown)
    if "client" in parts:
        found |= bench_client(size.rounds, shown)
    goals = goals_table(found)
    shown.console.print(goals.for_terminal())
    given.output.parent.mkdir(parents=True, exist_ok=True)
    results = {name: each.as_json() for name, each in found.items()}
    given.output.write_text(json.dumps(results, indent=2) + "\n")
    if given.write_docs:
        documents.write(found, [goals, *shown.tables])


@dataclass
class Output:
    """Where tables are printed, and those that were."""

    console: Console
    tables: list[Shown] = field(default_factory=list)

    def print(self, table: Shown) -> None:
        """Print a table, and keep it for the documentation."""
        self.console.print(table.for_terminal())
        self.tables.append(table)


def bench(directory: Path, parts: Sequence[str], size: Size, shown: Output) -> Figures:
    """The figures of the server, by name, once they are printed."""
    calls = [part for part in parts if part in CALLS]
    found: Figures = {}
    if parts == ["client"]:
        return found
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    shown.console.print(f"{about}; {size.rounds} rounds in turn", highlight=False)
    generator()

    def told(number: int) -> None:
        said = f"round {number} of {size.rounds}" if number else "warmed up"
        shown.console.print(said, style="dim", highlight=False)

    with all_served(directory, size) as served:
        if calls:
            subjects = bench_calls(directory, served, calls, size, told)
            shown.print(calls_table(subjects))
            found |= figures(subjects, calls)
        if "watch" in parts:
            found |= _watches(served, size, shown)
        if "start" in parts:
            found |= _starts(served, size, shown)
    return found


def bench_client(rounds: int, shown: Output) -> Figures:
    """The figures of what the client does, by name, once they are printed."""
    acts = measure_acts(rounds)
    shown.print(acts_table(acts))
    return {
        f"{act.name.replace('-', '').replace(' ', '_')}_cpu": Figure(
            act.us, "us/call", goal=act.goal_us, what=f"the client: {act.name}, CPU µs"
        )
        for act in acts
    }


def _watches(served: Sequence[Served], size: Size, shown: Output) -> Figures:
    """One worker at a time: a stream is one worker's."""
    fanouts = [
        Fanout(one.where, one.url, one.directory, one.asked, size.streams, size.changes)
        for one in served
        if one.workers == 1
    ]
    for _ in range(min(size.rounds, WATCH_ROUNDS)):
        for fanout in fanouts:
            fanout.run_round()
    shown.print(watch_table(fanouts))
    found: Figures = {}
    for number, fanout in enumerate(fanouts):
        first, what = number == 0, f"Watch, {fanout.streams} streams"
        goals: dict[str, Any] = {"p99": WATCH_P99_GOAL_MS if first else None}
        goals["kib"] = WATCH_KIB_GOAL if first else None
        where = "" if first else fanout.where
        found |= {
            name_of("watch", where, "p50"): Figure(fanout.p50_ms, "ms"),
            name_of("watch", where, "p99"): Figure(
                fanout.p99_ms, "ms", goal=goals["p99"], what=f"{what}: change to delivery, p99 ms"
            ),
            name_of("watch", where, "memory"): Figure(
                fanout.kib, "KiB/stream", goal=goals["kib"], what=f"{what}: KiB a stream"
            ),
            name_of("watch", where, "delivery_cpu"): Figure(fanout.delivery_us, "us/delivery"),
        }
    return found


def _starts(served: Sequence[Served], size: Size, shown: Output) -> Figures:
    """On the databases that the calls have left, beside the servers that now do nothing."""
    starts = [Starts(one.where, one.url, one.workers, one.directory) for one in served]
    for _ in range(size.rounds):
        for each in starts:
            each.run_round()
    shown.print(starts_table(starts))
    found: Figures = {}
    for number, each in enumerate(starts):
        first, where = number == 0, "" if number == 0 else each.where
        found |= {
            name_of("start", where, "time"): Figure(
                each.seconds,
                "s",
                goal=START_GOAL_SECONDS if first else None,
                what="symphony serve: seconds until health answers",
            ),
            name_of("start", where, "cpu"): Figure(each.cpu_seconds, "s"),
            name_of("idle", where, "memory"): Figure(
                each.mib,
                "MiB",
                goal=IDLE_GOAL_MIB if first else None,
                what="symphony serve: MiB when idle",
            ),
        }
    return found


if __name__ == "__main__":
    main()
