from __future__ import annotations

import itertools
import random
from time import thread_time

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given, settings
from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony_client.rules import (
    calculate_workflow_cost,
    optimize_workflow_steps,
    parallel_stages,
)
from tests.unit.client_rules.specs import any_specs, large_spec, reached, sound_specs, spec_of
from tests.unit.rules.builders import step


def written(spec: WorkflowSpec) -> dict[str, str]:
    return {one.name: " ".join(one.depends_on) for one in spec.steps}


def test_a_dependency_that_others_imply_goes() -> None:
    spec = spec_of(fetch="", build="fetch", test="build fetch", deploy="fetch test build")

    assert written(optimize_workflow_steps(spec)) == {
        "fetch": "",
        "build": "fetch",
        "test": "build",
        "deploy": "test",
    }


def test_a_dependency_that_is_named_twice_stays_once() -> None:
    spec = WorkflowSpec(steps=[step("a"), step("b", "a", "a")])

    assert written(optimize_workflow_steps(spec)) == {"a": "", "b": "a"}


def test_what_stays_is_written_as_it_was() -> None:
    spec = spec_of(a="", b="", c="", d="c a b")

    assert written(optimize_workflow_steps(spec))["d"] == "c a b"


def test_a_step_comes_after_what_it_depends_on_and_nothing_else_moves() -> None:
    spec = spec_of(deploy="test", docs="", test="build", build="", notes="")

    assert list(written(optimize_workflow_steps(spec))) == [
        *("docs", "build", "test", "deploy", "notes"),
    ]


def test_all_else_of_a_spec_is_kept() -> None:
    first = WorkflowStep(
        name="a",
        command="make",
        extension_id="extension_01h455vb4pex5vsknk084sn02q",
        estimated_duration=Duration(seconds=1),
        compute_units=0,
    )
    spec = WorkflowSpec(name="nightly", description="each night", steps=[step("b", "a"), first])

    optimized = optimize_workflow_steps(spec)

    assert (optimized.name, optimized.description) == ("nightly", "each night")
    assert list(optimized.steps) == [first, step("b", "a")]


@given(sound_specs())
def test_each_step_still_waits_for_the_same(spec: WorkflowSpec) -> None:
    optimized = optimize_workflow_steps(spec)

    assert reached(optimized) == reached(spec)
    assert calculate_workflow_cost(optimized) == calculate_workflow_cost(spec)
    assert [set(stage) for stage in parallel_stages(optimized)] == [
        set(stage) for stage in parallel_stages(spec)
    ]


@given(sound_specs())
def test_no_dependency_that_stays_could_go(spec: WorkflowSpec) -> None:
    optimized = optimize_workflow_steps(spec)

    behind = reached(optimized)
    for one in optimized.steps:
        for needed in one.depends_on:
            others = [other for other in one.depends_on if other != needed]
            assert all(needed not in behind[other] for other in others)


@given(sound_specs())
def test_nothing_is_added(spec: WorkflowSpec) -> None:
    before = {one.name: list(one.depends_on) for one in spec.steps}

    for one in optimize_workflow_steps(spec).steps:
        kept = set(one.depends_on)
        assert list(one.depends_on) == [name for name in before[one.name] if name in kept]


@given(sound_specs())
def test_the_steps_stand_in_an_order_that_they_can_run_in(spec: WorkflowSpec) -> None:
    optimized = optimize_workflow_steps(spec)

    seen: set[str] = set()
    for one in optimized.steps:
        assert seen.issuperset(one.depends_on)
        seen.add(one.name)
    assert sorted(seen) == sorted(one.name for one in spec.steps)


@given(sound_specs())
def test_no_two_neighbours_have_changed_places_without_need(spec: WorkflowSpec) -> None:
    places = {one.name: place for place, one in enumerate(spec.steps)}

    for before, after in itertools.pairwise(optimize_workflow_steps(spec).steps):
        assert places[before.name] < places[after.name] or before.name in after.depends_on


@given(any_specs() | sound_specs())
def test_what_is_optimized_stays_as_it_is(spec: WorkflowSpec) -> None:
    optimized = optimize_workflow_steps(spec)

    assert optimize_workflow_steps(optimized) == optimized


@given(any_specs() | sound_specs())
def test_the_spec_that_was_given_is_not_changed(spec: WorkflowSpec) -> None:
    before = spec.SerializeToString(deterministic=True)

    optimized = optimize_workflow_steps(spec)
    optimized.name = "another"

    assert spec.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(
    "spec",
    [
        spec_of(a="", d="c a", b="c", c="b", e="a a"),
        spec_of(b="a", a="a"),
        spec_of(b="a z", a=""),
        WorkflowSpec(steps=[step("b", "a"), step("a"), step("a")]),
        WorkflowSpec(),
    ],
    ids=["circle", "itself", "unknown name", "name twice", "no steps"],
)
def test_what_is_not_sound_is_copied_as_it_is(spec: WorkflowSpec) -> None:
    assert optimize_workflow_steps(spec) == spec


def test_more_steps_than_the_contract_allows_are_copied_as_they_are() -> None:
    spec = large_spec(steps=1001, dependencies=1)

    assert optimize_workflow_steps(spec) == spec


@pytest.mark.parametrize("dependencies", [1, 64])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers())
def test_many_steps_are_optimized_like_few(dependencies: int, seed: int) -> None:
    spec = large_spec(steps=80, dependencies=dependencies, seed=seed)

    optimized = optimize_workflow_steps(spec)

    assert reached(optimized) == reached(spec)
    assert optimize_workflow_steps(optimized) == optimized


def layered_spec(width: int, seed: int) -> WorkflowSpec:
    """Layers of so many steps, each of which depends on most of the two before its own, on one of
    them twice, in any order.
    """
    chance = random.Random(seed)  # noqa: S311 # no secret
    steps: list[WorkflowStep] = []
    for layer in range(6):
        earlier = [one.name for one in steps[-2 * width :]]
        for number in range(width):
            needs = chance.sample(earlier, len(earlier) * 9 // 10)
            steps.append(step(f"{layer}.{number}", *needs, *needs[:1]))
    return WorkflowSpec(name="layers", steps=chance.sample(steps, len(steps)))


@settings(max_examples=20, deadline=None)
@given(width=st.integers(2, 20), seed=st.integers())
def test_where_many_dependencies_stay_the_others_go(width: int, seed: int) -> None:
    spec = layered_spec(width, seed)

    optimized = optimize_workflow_steps(spec)

    behind = reached(optimized)
    assert behind == reached(spec)
    before = {one.name: list(dict.fromkeys(one.depends_on)) for one in spec.steps}
    for one in optimized.steps:
        needed = before[one.name]
        assert list(one.depends_on) == [
            name for name in needed if not any(name in behind[other] for other in needed)
        ]


def test_1000_steps_take_milliseconds() -> None:
    spec = large_spec()
    seconds = []
    for _ in range(3):
        start = thread_time()
        optimize_workflow_steps(spec)
        seconds.append(thread_time() - start)

    assert min(seconds) < 0.1  # an order of magnitude; `make bench` has the figure
