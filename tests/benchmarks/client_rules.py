"""What the client does before a call: pre-validation, and the rules of a workflow.

Pre-validation is measured beside protovalidate alone, in the same rounds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Final

import protovalidate

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.prevalidation import ContractRules
from symphony_client.rules import optimize_workflow_steps

ROUND_SECONDS: Final = 0.05
"""How long each subject is repeated in a round."""
PREVALIDATION_GOALS_US: Final = {1: 10.0, 10: 10.0, 100: 100.0, 1000: 1000.0}
"""Steps of a CreateWorkflow, and the goal (quality.md); for 1 and 100 in proportion."""
LONG_COMMAND_BYTES: Final = 400
"""A command that is not read with the rest of its step (prevalidation/compiled_bytes.py)."""
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
    acts.append(_prevalidation(1000, 1000.0, LONG_COMMAND_BYTES))
    acts += [
        _optimizing("1000 steps", _large_spec()),
        _optimizing("1000 layered steps", _layered_spec()),
        _optimizing(
            "1000 steps in a row", _spec_of_needs([[n - 1] * (n > 0) for n in range(1000)])
        ),
    ]
    for act in acts:
        act.do()  # compiles the rules
    for _ in range(rounds):
        for act in acts:
            act.us.append(_once_us(act.do))
            if act.peer:
                act.peer_us.append(_once_us(act.peer))
    return acts


def _prevalidation(steps: int, goal_us: float | None, command_bytes: int = 0) -> Act:
    request = CreateWorkflowRequest(
        project_id="project_01h455vb4pex5vsknk084sn02q",
        request_id="6f1c2a0e9b7d4c3f8a5e2d1b0c9f8e7d",
        spec=_spec_of_needs([[n - 1] * (n > 0) for n in range(steps)], command_bytes),
    )
    rules, alone = ContractRules(), protovalidate.Validator()
    kind = "long step" if command_bytes else "step"
    return Act(
        f"pre-validate {steps} {kind}{'s' if steps > 1 else ''}",
        lambda: rules.should_attempt_request(request),
        goal_us,
        lambda: alone.validate(request),
    )


def _optimizing(what: str, spec: WorkflowSpec) -> Act:
    return Act(f"optimize {what}", lambda: optimize_workflow_steps(spec), OPTIMIZE_GOAL_MS * 1000)


def _large_spec() -> WorkflowSpec:
    """1000 steps in a random order, each depending on up to 64 of the 200 before it; two of these
    stay on average.
    """
    chance = random.Random(1)  # noqa: S311 # no secret
    windows = [range(max(0, number - 200), number) for number in range(1000)]
    needs = [chance.sample(earlier, min(MAX_DEPENDENCIES, len(earlier))) for earlier in windows]
    return _shuffled(_spec_of_needs(needs), chance)


def _layered_spec() -> WorkflowSpec:
    """Ten layers of 100 steps, in a random order, each depending on 64 of the layer before its
    own; all of these stay.
    """
    chance = random.Random(2)  # noqa: S311 # no secret
    layers = [range(first, first + 100) for first in range(0, 1000, 100)]
    needs: list[list[int]] = [[] for _ in layers[0]]
    for layer in layers[:-1]:
        needs += [chance.sample(layer, MAX_DEPENDENCIES) for _ in layer]
    return _shuffled(_spec_of_needs(needs), chance)


def _shuffled(spec: WorkflowSpec, chance: random.Random) -> WorkflowSpec:
    return WorkflowSpec(name=spec.name, steps=chance.sample(spec.steps[:], len(spec.steps)))


def _spec_of_needs(needs: Sequence[Sequence[int]], command_bytes: int = 0) -> WorkflowSpec:
    """A step for each of `needs`: the numbers of the steps that it depends on."""
    return WorkflowSpec(
        name="nightly",
        steps=[
            WorkflowStep(
                name=f"step{number}",
                command=f"echo step {number}".ljust(command_bytes, "x"),
                depends_on=[f"step{other}" for other in needed],
            )
            for number, needed in enumerate(needs)
        ],
    )


def _once_us(do: Callable[[], object]) -> float:
    """What doing it once takes of the CPU, on average over a round."""
    times, started, ends = 0, process_time(), perf_counter() + ROUND_SECONDS
    while perf_counter() < ends:
        do()
        times += 1
    return (process_time() - started) / times * 1e6
