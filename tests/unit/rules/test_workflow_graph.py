from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony_server.rules.cycles import MAX_CYCLE_BYTES
from symphony_server.rules.estimates import step_duration_us
from symphony_server.rules.workflow_graph import MAX_VIOLATIONS, GraphCheck, check_graph
from tests.unit.rules.builders import SECOND, acyclic_steps, graph, is_cycle, step


def brute_force_us(steps: list[WorkflowStep]) -> int:
    by_name = {one.name: one for one in steps}

    def end_us(one: WorkflowStep) -> int:
        return step_duration_us(one) + max((end_us(by_name[d]) for d in one.depends_on), default=0)

    return max(map(end_us, steps))


@given(acyclic_steps())
@settings(deadline=None)
def test_a_graph_without_a_cycle_is_sound_and_takes_its_critical_path(
    steps: list[WorkflowStep],
) -> None:
    assert check_graph(steps) == GraphCheck((), brute_force_us(steps))


@given(acyclic_steps(min_size=2), st.data())
@settings(deadline=None)
def test_an_edge_back_always_gives_a_cycle_that_is_really_there(
    steps: list[WorkflowStep], data: st.DataObject
) -> None:
    by_name = {one.name: one for one in steps}
    later = data.draw(st.sampled_from(steps))
    ancestors = list(later.depends_on)
    for name in ancestors:  # grows as it is walked
        ancestors.extend(by_name[name].depends_on)
    assume(ancestors)
    by_name[data.draw(st.sampled_from(ancestors))].depends_on.append(later.name)

    check = check_graph(steps)

    (violation,) = check.violations
    assert violation.reason_name == "STEP_DEPENDENCY_CYCLE"
    assert is_cycle(violation.metadata["cycle"].split(" -> "), steps)
    assert violation.metadata["cycle"] in violation.description
    assert check.critical_path_us == 0


@pytest.mark.parametrize("order", list(permutations("abcd")))
def test_the_order_in_which_steps_are_listed_does_not_matter(order: tuple[str, ...]) -> None:
    diamond = {
        "a": step("a", us=1 * SECOND),
        "b": step("b", "a", us=2 * SECOND),
        "c": step("c", "a"),
        "d": step("d", "b", "c", us=4 * SECOND),
    }
    assert check_graph([diamond[name] for name in order]) == GraphCheck((), 10 * SECOND)


def test_the_seeds_example_of_one_step_takes_5000_ms() -> None:
    assert check_graph([step("only")]).critical_path_us == 5_000_000


def test_steps_are_taken_from_a_message_as_well() -> None:
    spec = WorkflowSpec(steps=[step("b", "a"), step("a")])
    assert check_graph(spec.steps) == GraphCheck((), 10 * SECOND)


def test_no_steps_take_no_time() -> None:
    assert check_graph([]) == GraphCheck((), 0)


def test_each_further_step_of_a_name_is_named_with_the_first() -> None:
    check = check_graph([step("a"), step("b"), step("a"), step("a")])
    assert [(v.reason_name, v.field) for v in check.violations] == [
        ("STEP_NAME_DUPLICATE", "spec.steps[2].name"),
        ("STEP_NAME_DUPLICATE", "spec.steps[3].name"),
    ]
    assert check.violations[0].metadata == {"step": "a"}
    assert check.violations[0].description == (
        'step "a" has the name of spec.steps[0]; rename one of them'
    )


def test_names_of_steps_are_compared_exactly() -> None:
    assert not check_graph([step("a"), step("A")]).violations
    assert check_graph([step("a"), step("b", "A")]).violations


def test_a_dependency_on_no_step_says_to_add_or_remove_it() -> None:
    (violation,) = check_graph([step("a"), step("b", "a", "x")]).violations
    assert violation.reason == ErrorReason.ERROR_REASON_STEP_DEPENDENCY_UNKNOWN
    assert violation.field == "spec.steps[1].depends_on[1]"
    assert violation.metadata == {"step": "b", "dependency": "x"}
    assert violation.description == (
        'step "b" depends on "x", which is not a step of this workflow;'
        " add that step or remove the dependency"
    )


def test_a_dependency_on_itself_is_not_reported_as_a_cycle_too() -> None:
    (violation,) = check_graph(graph({"a": "", "b": "a b"})).violations
    assert violation.reason == ErrorReason.ERROR_REASON_STEP_DEPENDENCY_SELF
    assert violation.field == "spec.steps[1].depends_on[1]"
    assert violation.metadata == {"step": "b"}
    assert violation.description == 'step "b" depends on itself; remove that dependency'


def test_a_cycle_is_named_at_a_dependency_that_can_be_removed() -> None:
    (violation,) = check_graph(graph({"z": "", "a": "z b", "b": "c", "c": "a"})).violations
    assert violation.field == "spec.steps[1].depends_on[1]"
    assert violation.metadata == {"cycle": "a -> b -> c -> a"}
    assert violation.description == (
        "the steps a -> b -> c -> a depend on each other in a circle, so that none of them can"
        " start; remove one of these dependencies"
    )


def test_two_steps_that_need_each_other_are_a_cycle() -> None:
    (violation,) = check_graph(graph({"a": "b", "b": "a"})).violations
    assert violation.metadata["cycle"] == "a -> b -> a"


def test_cycles_apart_from_each_other_are_all_named() -> None:
    steps = graph({"a": "b", "b": "a", "c": "b", "d": "e c", "e": "d", "f": "e"})
    cycles = [violation.metadata["cycle"] for violation in check_graph(steps).violations]
    assert cycles == ["a -> b -> a", "d -> e -> d"]


def test_everything_wrong_is_named_together() -> None:
    steps = [step("a", "b"), step("b", "a"), step("c", "c", "x"), step("a")]
    check = check_graph(steps)
    assert [violation.reason_name for violation in check.violations] == [
        "STEP_NAME_DUPLICATE",
        "STEP_DEPENDENCY_SELF",
        "STEP_DEPENDENCY_UNKNOWN",
        "STEP_DEPENDENCY_CYCLE",
    ]
    assert check.critical_path_us == 0


def test_a_name_that_several_steps_have_means_the_first() -> None:
    violations = check_graph([step("a"), step("b", "a"), step("a", "b")]).violations
    assert [violation.reason_name for violation in violations] == ["STEP_NAME_DUPLICATE"]


def test_a_thousand_steps_in_a_circle_are_found_and_shortly_named() -> None:
    steps = [step(f"{n:0128}", f"{(n + 1) % 1000:0128}") for n in range(1000)]
    (violation,) = check_graph(steps).violations
    assert len(violation.metadata["cycle"].encode()) <= MAX_CYCLE_BYTES
    assert "(989 more)" in violation.metadata["cycle"]


def test_a_chain_listed_backwards_needs_no_recursion() -> None:
    steps = [step(f"s{n}", *([f"s{n - 1}"] if n else []), us=1) for n in range(1000)]
    assert check_graph(steps[::-1]) == GraphCheck((), 1000)


def test_a_flood_of_violations_ends() -> None:
    steps = [step(f"s{n}", *(f"x{m}" for m in range(64))) for n in range(100)]
    assert len(check_graph(steps).violations) == MAX_VIOLATIONS


def test_long_names_are_cut_in_what_is_said_but_not_in_metadata() -> None:
    (violation,) = check_graph([step("a" * 128, "b" * 128)]).violations
    assert len(violation.description) < 256
    assert violation.metadata == {"step": "a" * 128, "dependency": "b" * 128}
