from __future__ import annotations

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowSpec, WorkflowStep
from symphony_client.rules import calculate_workflow_cost, estimate_execution_time
from symphony_server.rules.cost import complete_cost
from symphony_server.rules.workflow_graph import check_graph
from tests.unit.client_rules.specs import any_specs, large_spec, sound_specs, spec_of
from tests.unit.rules.builders import SECOND, step


def test_one_step_that_states_nothing_costs_10_units_and_5000_ms() -> None:
    spec = WorkflowSpec(name="one", steps=[WorkflowStep(name="only", command="echo hello")])

    assert calculate_workflow_cost(spec) == WorkflowCost(
        compute_units=10, estimated_duration=Duration(seconds=5)
    )
    assert estimate_execution_time(spec) == timedelta(milliseconds=5000)


def test_units_are_summed_and_the_time_is_that_of_the_longest_chain() -> None:
    spec = WorkflowSpec(
        steps=[
            step("deploy", "build", "test", us=SECOND // 4, units=0),
            step("test", us=2 * SECOND, units=7),
            step("build", us=9 * SECOND, units=5),
        ]
    )

    assert calculate_workflow_cost(spec).compute_units == 12
    assert estimate_execution_time(spec) == timedelta(seconds=9.25)


def test_what_is_less_than_a_microsecond_is_dropped() -> None:
    spec = WorkflowSpec(steps=[WorkflowStep(estimated_duration=Duration(nanos=1_999))])

    assert calculate_workflow_cost(spec).estimated_duration == Duration(nanos=1_000)


def test_no_steps_cost_nothing() -> None:
    cost = calculate_workflow_cost(WorkflowSpec())

    assert cost.HasField("compute_units")
    assert cost == WorkflowCost(compute_units=0, estimated_duration=Duration())
    assert estimate_execution_time(WorkflowSpec()) == timedelta(0)


def what_the_server_computes(spec: WorkflowSpec) -> WorkflowCost:
    graph = check_graph(spec.steps)
    assert graph.violations == ()
    return complete_cost(None, spec.steps, graph.critical_path_us)[0]


@given(spec=sound_specs(), units=st.lists(st.none() | st.integers(0, 10**9), min_size=12))
def test_a_sound_spec_costs_what_the_server_computes(
    spec: WorkflowSpec, units: list[int | None]
) -> None:
    for each, stated in zip(spec.steps, units, strict=False):
        if stated is not None:
            each.compute_units = stated

    cost = calculate_workflow_cost(spec)

    assert cost == what_the_server_computes(spec)
    assert estimate_execution_time(spec) == cost.estimated_duration.ToTimedelta()


def test_a_large_spec_costs_what_the_server_computes() -> None:
    spec = large_spec()

    assert calculate_workflow_cost(spec) == what_the_server_computes(spec)


@given(any_specs())
def test_any_spec_has_a_cost_and_stays_as_it_was(spec: WorkflowSpec) -> None:
    before = WorkflowSpec.FromString(spec.SerializeToString())

    cost = calculate_workflow_cost(spec)

    assert cost.compute_units >= 0
    assert timedelta(0) <= estimate_execution_time(spec) <= timedelta.max
    assert cost.estimated_duration.ToJsonString()  # a duration that can be written
    assert spec == before


def test_a_dependency_that_closes_a_circle_is_not_waited_for() -> None:
    assert estimate_execution_time(spec_of(a="c", b="a", c="b")) == timedelta(seconds=15)
    assert estimate_execution_time(spec_of(a="a")) == timedelta(seconds=5)


def test_a_name_that_is_there_twice_means_the_first_and_an_unknown_one_nobody() -> None:
    spec = WorkflowSpec(
        steps=[step("a", us=SECOND), step("a", us=7 * SECOND), step("b", "a", "z", us=9 * SECOND)]
    )

    assert estimate_execution_time(spec) == timedelta(seconds=10)


def test_a_negative_duration_counts_as_none() -> None:
    spec = WorkflowSpec(
        steps=[WorkflowStep(estimated_duration=Duration(seconds=-9)), step("b", us=SECOND)]
    )

    assert estimate_execution_time(spec) == timedelta(seconds=1)
