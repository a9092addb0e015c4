"""Makes ten times the calls that a server can answer, and looks what becomes of those it answers.

    python -m tests.faults.overload --seconds 10 --engine sqlite

First the peak: 64 callers, one call after another. Then ten times as many calls a second, begun
whatever becomes of those before, without a deadline and with one of 500 ms; then the 64 callers
again. At last ten times the callers, who wait half a second when they are refused.

The server has core 0, and the callers' process core 1. Time is the server's CPU time, so that
what else the machine does is not measured; with `--wall` it is the wall's, and the server has
every core. One process makes all calls; it says how much of its core it needed for that.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from symphony.v1.workflow_pb2 import WorkflowStep
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from tests.e2e.place import Place, open_place
from tests.faults.http2_load import GIVEN_UP, MARK, RESET, Plan, Report, cpu_clock
from tests.faults.overload_figures import (
    CALLS,
    GOODPUT_GOAL,
    IN_TIME,
    MORE_CALLERS,
    ONSET_SECONDS,
    Outcome,
    Seen,
    recovery,
)
from tests.postgresql import running

CALLERS: Final = 64
TIMES: Final = 10
DEADLINE_MS: Final = 500
PAUSE_SECONDS: Final = 0.5
LATENCY_GOAL: Final = 2.0
CANCELLED: Final = 1
UNAVAILABLE: Final = 14
_SERVICE: Final = "/symphony.v1.WorkflowService"


class Overload:
    """A server under load."""

    def __init__(self, place: Place, *, wall: bool) -> None:
        self._place = place
        person = place.user()
        project = place.project(person)
        steps = [WorkflowStep(name=f"step{n}", command=f"echo step {n}") for n in range(10)]
        create = place.new_workflow(project)
        create.spec.name = MARK.decode()
        create.spec.steps[0].CopyFrom(steps[0])
        create.spec.steps.extend(steps[1:])
        made = place.workflow(person, project)
        self._requests = {
            "GetWorkflow": GetWorkflowRequest(id=made.id).SerializeToString(),
            "CreateWorkflow": create.SerializeToString(),
        }
        self._metadata = tuple(person.metadata())
        self._wall = wall
        self._names = itertools.count(1)
        if not wall:
            _pin(place.server.process.pid, 0)

    def run(self, method: str, seconds: float) -> Outcome:
        self._call(method, "warm", min(1.0, seconds), callers=CALLERS)
        outcome = Outcome(method, self._call(method, "64 callers", seconds, callers=CALLERS))
        rate = TIMES * outcome.peak.rate
        outcome.overloads.append(self._call(method, CALLS, seconds, rate=rate))
        after = self._call(method, "after", seconds, callers=CALLERS)
        outcome.recovery_seconds = recovery(after, outcome.peak)
        outcome.overloads.append(
            self._call(
                method,
                IN_TIME,
                seconds,
                # The peak by the wall's clock.
                rate=rate if self._wall else rate * outcome.peak.core,
                deadline_ms=DEADLINE_MS,
            )
        )
        outcome.overloads.append(
            self._call(
                method,
                MORE_CALLERS,
                seconds,
                callers=TIMES * CALLERS,
                pause_seconds=PAUSE_SECONDS,
            )
        )
        return outcome

    def _call(
        self,
        method: str,
        name: str,
        seconds: float,
        *,
        callers: int = 0,
        rate: float = 0,
        deadline_ms: int | None = None,
        pause_seconds: float = 0,
    ) -> Seen:
        plan = Plan(
            target=self._place.server.target,
            path=f"{_SERVICE}/{method}",
            request=self._requests[method],
            metadata=self._metadata,
            seconds=seconds,
            callers=callers,
            rate=rate,
            deadline_ms=deadline_ms,
            pause_seconds=pause_seconds,
            # A deadline is by the wall's clock.
            clock_of=None if self._wall or deadline_ms else self._place.server.process.pid,
            core=None if self._wall or not _has_cores() else 1,
            first_name=next(self._names) * 10**6,
        )
        used = cpu_clock(self._place.server.process.pid)
        began = time.monotonic()
        before = used()
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.http2_load"],
            input=plan.model_dump_json(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the callers failed: {done.stderr[-2000:]}")
        core = (used() - before) / (time.monotonic() - began)
        return Seen(
            name,
            Report.model_validate_json(done.stdout),
            core,
            bool(deadline_ms) and not self._wall,
        )


def _has_cores() -> bool:
    return hasattr(os, "sched_setaffinity") and {0, 1} <= os.sched_getaffinity(0)


def _pin(process_id: int, core: int) -> None:
    """Keep a process with all its threads on a core; those to come follow their makers."""
    if _has_cores():
        for task in Path(f"/proc/{process_id}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})


@contextmanager
def loaded_server(directory: Path, *, engine: str, wall: bool) -> Iterator[Overload]:
    """A server that holds nobody to a rate."""
    with ExitStack() as stack:
        database: list[str] = []
        if engine == "postgresql":
            postgresql = stack.enter_context(running())
            url = postgresql.empty_database()
            database = ["--database", url]
        place = stack.enter_context(open_place(directory, "--no-rate-limits", *database))
        yield Overload(place, wall=wall)


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table."""
    table = Table(title=f"{TIMES} times the calls, beside the peak of {CALLERS} callers")
    for name in ("method", "load", "goodput/s", "of peak", "p50 ms", "p99 ms", "of peak's"):
        table.add_column(name, justify="left" if name in ("method", "load") else "right")
    for name in ("told", "turned away", "given up", "server's core", "callers'"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        for seen in (outcome.peak, *outcome.overloads):
            table.add_row(
                outcome.method,
                seen.name,
                f"{seen.rate:.0f}",
                f"{outcome.goodput(seen):.0%}",
                f"{seen.latency(0.5) * 1000:.0f}",
                f"{seen.latency(0.99, after=ONSET_SECONDS) * 1000:.0f}",
                f"{outcome.slowdown(seen):.1f}",
                f"{seen.share(UNAVAILABLE):.1%}",
                f"{seen.share(CANCELLED, RESET):.0%}",
                f"{seen.share(GIVEN_UP):.0%}",
                f"{seen.core:.0%}",
                f"{seen.report.busy:.0%}",
            )
    Console(width=130).print(table)
    for outcome in outcomes:
        print(f"{outcome.method}: recovered {outcome.recovery_seconds:.1f} s after the burst")
    print(
        f"goals: goodput {GOODPUT_GOAL:.0%} of the peak, p99 {LATENCY_GOAL:.0f} times its own "
        f"(p99 but for the first {ONSET_SECONDS:.0f} s)"
    )


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 after a collapse."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--wall", action="store_true", help="every core, and the wall's time")
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as directory,
        loaded_server(Path(directory), engine=given.engine, wall=given.wall) as overload,
    ):
        outcomes = [
            overload.run(method, given.seconds) for method in ("GetWorkflow", "CreateWorkflow")
        ]
    show(outcomes)
    collapsed = [line for outcome in outcomes for line in outcome.collapsed]
    for line in collapsed:
        print(f"collapsed: {line}")
    loads = sum(len(outcome.overloads) + 1 for outcome in outcomes)
    print(f"{loads - len(collapsed)} passed, {len(collapsed)} failed")
    return 1 if collapsed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
