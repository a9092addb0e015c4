"""What the client does before a call: pre-validation, and the rules of a workflow.

Pre-validation is measured beside protovalidate alone, in the same rounds.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Final

import protovalidate
from rich.console import Console
from rich.table import Table

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.prevalidation import ContractRules
from symphony_client.rules import optimize_workflow_steps

ROUND_SECONDS: Final = 0.05
"""How long each subject is repeated in a round."""
PREVALIDATION_GOALS_US: Final = {1: None, 10: 10.0, 100: None, 1000: 1000.0}
"""Steps of a CreateWorkflow, and the goal (quality.md)."""
OPTIMIZE_GOAL_MS: Final = 10.0
MAX_DEPENDENCIES: Final = 64


@dataclass
class Act:
    """Something that is done over and over."""

    name: str
    do: Callable[[], object]
    goal_us: float | None = None
    peer: Callable[[], object] | None = None
    """What it is measured beside."""
    us: list[float] = field(default_factory=list)
    """The CPU time once took, in microseconds, round by round."""
    peer_us: list[float] = field(default_factory=list)


def measure_acts(rounds: int) -> list[Act]:
    """The acts with their times, every one measured once a round, so that what drifts drifts for
    all.
    """
    acts = [_prevalidation(steps, goal) for steps, goal in PREVALIDATION_GOALS_US.items()]
    spec = _large_spec()
    optimize = Act("optimize 1000 steps", lambda: optimize_workflow_steps(spec))
    optimize.goal_us = OPTIMIZE_GOAL_MS * 1000
    acts.append(optimize)
    for act in acts:
        act.do()  # compiles the rules
    for _ in range(rounds):
        for act in acts:
            act.us.append(_once_us(act.do))
            if act.peer:
                act.peer_us.append(_once_us(act.peer))
    return acts


def show_acts(acts: list[Act]) -> None:
    """Print the table."""
    table = Table(title="CPU in the client, before a call")
    for name in ("act", "CPU µs (min-max)", "protovalidate alone", "goal"):
        table.add_column(name, justify="left" if name == "act" else "right")
    for act in acts:
        middle, least, most = statistics.median(act.us), min(act.us), max(act.us)
        peer = f"{statistics.median(act.peer_us):.1f}" if act.peer_us else ""
        goal = "" if act.goal_us is None else f"≤ {act.goal_us:.0f}"
        table.add_row(act.name, f"{middle:.1f} ({least:.1f}-{most:.1f})", peer, goal)
    Console(width=100).print(table)


def _prevalidation(steps: int, goal_us: float | None) -> Act:
    request = CreateWorkflowRequest(
        project_id="project_01h455vb4pex5vsknk084sn02q",
        request_id="6f1c2a0e9b7d4c3f8a5e2d1b0c9f8e7d",
        spec=WorkflowSpec(
            name="nightly",
            steps=[
                WorkflowStep(
                    name=f"step{n}", command=f"echo step {n}", depends_on=[f"step{n - 1}"][: n > 0]
                )
                for n in range(steps)
            ],
        ),
    )
    rules, alone = ContractRules(), protovalidate.Validator()
    return Act(
        f"pre-validate {steps} step{'s' if steps > 1 else ''}",
        lambda: rules.should_attempt_request(request),
        goal_us,
        lambda: alone.validate(request),
    )


def _large_spec() -> WorkflowSpec:
    """1000 steps in a random order, each depending on up to 64 of the 200 before it."""
    chance = random.Random(1)  # noqa: S311 # no secret
    steps = []
    for number in range(1000):
        earlier = range(max(0, number - 200), number)
        needed = chance.sample(earlier, min(MAX_DEPENDENCIES, len(earlier)))
        steps.append(
            WorkflowStep(
                name=f"step{number}",
                command=f"echo step {number}",
                depends_on=[f"step{other}" for other in needed],
            )
        )
    chance.shuffle(steps)
    return WorkflowSpec(name="large", steps=steps)


def _once_us(do: Callable[[], object]) -> float:
    """What doing it once takes of the CPU, on average over a round."""
    times, started, ends = 0, process_time(), perf_counter() + ROUND_SECONDS
    while perf_counter() < ends:
        do()
        times += 1
    return (process_time() - started) / times * 1e6
