"""Workflow steps and graphs in few words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowStep
from symphony_server.rules.estimates import duration_message

SECOND = 1_000_000


def step(
    name: str,
    *depends_on: str,
    us: int | None = None,
    units: int | None = None,
    extension_id: str = "",
) -> WorkflowStep:
    """A step; `us` is its duration in microseconds."""
    return WorkflowStep(
        name=name,
        command="true",
        depends_on=depends_on,
        estimated_duration=None if us is None else duration_message(us),
        compute_units=units,
        extension_id=extension_id,
    )


def graph(dependencies: Mapping[str, str]) -> list[WorkflowStep]:
    """A step for each key, which depends on the steps that its value names, blanks between."""
    return [step(name, *wanted.split()) for name, wanted in dependencies.items()]


@st.composite
def acyclic_steps(draw: st.DrawFn, *, min_size: int = 1) -> list[WorkflowStep]:
    """Steps, listed in any order, that each depend on some of those before them in another."""
    size = draw(st.integers(min_size, 12))
    steps = []
    for position in range(size):
        earlier = st.sampled_from(range(max(position, 1)))
        needed = draw(st.lists(earlier, unique=True, max_size=min(position, 4)))
        us = draw(st.none() | st.integers(0, 100 * SECOND))
        steps.append(step(f"s{position}", *(f"s{other}" for other in needed), us=us))
    return draw(st.permutations(steps))


def is_cycle(path: Sequence[str], steps: Sequence[WorkflowStep]) -> bool:
    """Whether the path returns to its start, each step depending on the next, none passed twice."""
    wanted = {one.name: set(one.depends_on) for one in steps}
    return (
        len(path) > 1
        and path[0] == path[-1]
        and len(set(path[1:])) == len(path) - 1
        and all(after in wanted[before] for before, after in itertools.pairwise(path))
    )
