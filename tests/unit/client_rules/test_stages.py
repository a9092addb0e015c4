from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given

from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_client.rules import parallel_stages
from tests.unit.client_rules.specs import any_specs, reached, sound_specs, spec_of
from tests.unit.rules.builders import step


def test_steps_that_can_run_together_are_one_stage() -> None:
    spec = spec_of(deploy="test lint", test="build", lint="", build="", docs="")

    assert parallel_stages(spec) == [["lint", "build", "docs"], ["test"], ["deploy"]]


def test_no_steps_make_no_stages() -> None:
    assert parallel_stages(WorkflowSpec()) == []


@given(sound_specs())
def test_each_step_is_in_the_earliest_stage_that_it_can_be_in(spec: WorkflowSpec) -> None:
    stages = parallel_stages(spec)

    needs = {one.name: set(one.depends_on) for one in spec.steps}
    done: set[str] = set()
    for before, stage in itertools.pairwise([[], *stages]):
        for name in stage:
            assert needs[name] <= done | set(before)
            assert not before or needs[name] & set(before)
        done.update(before)


@given(sound_specs())
def test_steps_of_one_stage_do_not_wait_for_each_other(spec: WorkflowSpec) -> None:
    behind = reached(spec)

    for stage in parallel_stages(spec):
        assert all(behind[name].isdisjoint(stage) for name in stage)


@given(any_specs() | sound_specs())
def test_every_step_of_any_spec_is_in_one_stage_as_written(spec: WorkflowSpec) -> None:
    stages = parallel_stages(spec)

    names = [one.name for one in spec.steps]
    assert Counter(itertools.chain(*stages)) == Counter(names)
    assert all(stages)
    for stage in stages:
        left = iter(names)
        assert all(name in left for name in stage)


def test_what_cannot_be_waited_for_is_not() -> None:
    assert parallel_stages(spec_of(a="c", b="a", c="b")) == [["b"], ["c"], ["a"]]
    assert parallel_stages(spec_of(a="a z")) == [["a"]]
    assert parallel_stages(WorkflowSpec(steps=[step("a"), step("a", "b"), step("b", "a")])) == [
        ["a"],
        ["b"],
        ["a"],
    ]
