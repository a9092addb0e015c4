from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.workflow_pb2 import WorkflowCost
from symphony_server.rules.cost import complete_cost
from symphony_server.rules.estimates import MAX_ESTIMATED_SECONDS
from tests.unit.rules.builders import SECOND, step

STEPS = [step("a"), step("b", units=5)]


@pytest.mark.parametrize("declared", [None, WorkflowCost()])
def test_what_is_not_declared_is_computed(declared: WorkflowCost | None) -> None:
    cost, violation = complete_cost(declared, STEPS, 7_500_000)
    assert cost == WorkflowCost(
        compute_units=15, estimated_duration=Duration(seconds=7, nanos=500_000_000)
    )
    assert violation is None


def test_what_is_declared_is_kept_to_the_nanosecond_and_not_changed() -> None:
    declared = WorkflowCost(compute_units=0, estimated_duration=Duration(seconds=9, nanos=7))
    cost, violation = complete_cost(declared, STEPS, 9 * SECOND)
    assert cost == declared
    assert violation is None
    assert cost is not declared


def test_the_declared_message_is_left_as_it_was() -> None:
    declared = WorkflowCost()
    complete_cost(declared, STEPS, SECOND)
    assert declared == WorkflowCost()


def test_each_part_may_be_declared_alone() -> None:
    cost, _ = complete_cost(WorkflowCost(compute_units=3), STEPS, SECOND)
    assert cost == WorkflowCost(compute_units=3, estimated_duration=Duration(seconds=1))
    cost, _ = complete_cost(WorkflowCost(estimated_duration=Duration(seconds=2)), STEPS, SECOND)
    assert cost == WorkflowCost(compute_units=15, estimated_duration=Duration(seconds=2))


def test_a_declared_duration_below_the_critical_path_is_refused() -> None:
    declared = WorkflowCost(estimated_duration=Duration(seconds=9, nanos=500_000_000))
    cost, violation = complete_cost(declared, STEPS, 10 * SECOND)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_ESTIMATE_BELOW_CRITICAL_PATH
    assert violation.field == "estimated_cost.estimated_duration"
    assert violation.metadata == {"critical_path_seconds": "10", "declared_seconds": "9.5"}
    assert violation.description == (
        "the declared duration of 9.5 s is shorter than the 10 s that the steps need one after"
        " the other; declare at least 10 s, or none to have it computed"
    )
    assert cost.estimated_duration == declared.estimated_duration


def test_steps_that_need_more_than_ten_years_are_refused() -> None:
    longest_us = MAX_ESTIMATED_SECONDS * SECOND
    assert complete_cost(None, STEPS, longest_us)[1] is None
    _, violation = complete_cost(None, STEPS, longest_us + SECOND)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_FIELD_INVALID
    assert violation.field == "spec.steps"
    assert "315576001 s" in violation.description
