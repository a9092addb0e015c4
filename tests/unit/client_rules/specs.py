"""Specs for the client's rules: sound ones, and any that can be written."""

from __future__ import annotations

import random

from google.protobuf.duration_pb2 import Duration
from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from tests.unit.rules.builders import acyclic_steps, graph

_NAMES = st.sampled_from("abcdef")
_INT64 = st.integers(-(2**63), 2**63 - 1)


def spec_of(**dependencies: str) -> WorkflowSpec:
    """A step for each key, which depends on the steps that its value names, blanks between."""
    return WorkflowSpec(name="nightly", steps=graph(dependencies))


def sound_specs() -> st.SearchStrategy[WorkflowSpec]:
    """Specs without circles, their steps in any order."""
    return acyclic_steps().map(lambda steps: WorkflowSpec(name="nightly", steps=steps))


def any_specs() -> st.SearchStrategy[WorkflowSpec]:
    """Specs with circles, names that are there twice or not at all, and values beyond all limits,
    besides sound ones.
    """
    durations = st.none() | st.builds(
        Duration, seconds=_INT64, nanos=st.integers(-(2**31), 2**31 - 1)
    )
    steps = st.builds(
        WorkflowStep,
        name=_NAMES,
        depends_on=st.lists(_NAMES, max_size=4),
        estimated_duration=durations,
        compute_units=st.none() | _INT64,
    )
    return st.lists(steps, max_size=6).map(lambda steps: WorkflowSpec(steps=steps))


def large_spec(*, steps: int = 1000, dependencies: int = 64, seed: int = 7) -> WorkflowSpec:
    """As large as the contract allows, its steps in a random order."""
    chance = random.Random(seed)  # noqa: S311 # no secret
    made = [
        WorkflowStep(
            name=f"step {number}",
            command=f"run {number}",
            depends_on=[
                f"step {earlier}"
                for earlier in chance.sample(range(number), min(dependencies, number))
            ],
        )
        for number in range(steps)
    ]
    chance.shuffle(made)
    return WorkflowSpec(name="large", steps=made)


def reached(spec: WorkflowSpec) -> dict[str, frozenset[str]]:
    """Every step with all that it depends on, directly or not; found as slowly as it is plain."""
    needs = {step.name: set(step.depends_on) for step in spec.steps}
    found: dict[str, frozenset[str]] = {}
    for name, direct in needs.items():
        seen: set[str] = set()
        ahead = list(direct)
        while ahead:
            other = ahead.pop()
            if other not in seen:
                seen.add(other)
                ahead.extend(needs[other])
        found[name] = frozenset(seen)
    return found
