"""Where runs and steps may go, for every pair of states."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.execution_pb2 import ExecutionState, ExecutionStep
from symphony_server.rules.execution_states import (
    CANCELLED,
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    error_without_failure,
    run_transition,
    state_name,
    step_transitions,
)

STATES = [PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED]
# As the contract's comment on ExecutionState has it. A state may be reported again, but of a run
# only one that has not ended; and a step's report may come too late to have seen it run.
RUN_GOES = {"PENDING": "PENDING RUNNING CANCELLED", "RUNNING": "RUNNING SUCCEEDED FAILED CANCELLED"}
STEP_GOES = {
    "PENDING": "PENDING RUNNING SUCCEEDED FAILED CANCELLED",
    "RUNNING": "RUNNING SUCCEEDED FAILED CANCELLED",
    "SUCCEEDED": "SUCCEEDED",
    "FAILED": "FAILED",
    "CANCELLED": "CANCELLED",
}
PAIRS = list(itertools.product(STATES, repeat=2))
NAMED = [f"{state_name(before)} to {state_name(after)}" for before, after in PAIRS]


def step(name: str, state: ExecutionState.ValueType = PENDING) -> ExecutionStep:
    return ExecutionStep(name=name, state=state)


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=NAMED)
def test_a_run_goes_only_forward(
    before: ExecutionState.ValueType, after: ExecutionState.ValueType
) -> None:
    violation = run_transition(before, after, field="execution.state")
    if state_name(after) in RUN_GOES.get(state_name(before), "").split():
        assert violation is None
        return
    assert violation is not None
    assert violation.reason_name == "STATE_TRANSITION_INVALID"
    assert violation.field == "execution.state"
    assert violation.metadata == {"from": state_name(before), "to": state_name(after)}
    ended = state_name(before) not in RUN_GOES
    assert ("it has ended and stays as it is" in violation.description) == ended


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=NAMED)
def test_a_step_goes_only_forward(
    before: ExecutionState.ValueType, after: ExecutionState.ValueType
) -> None:
    found = step_transitions([step("a", before)], [step("a", after)], field="steps")
    if state_name(after) in STEP_GOES[state_name(before)].split():
        assert found == []
        return
    assert [violation.reason_name for violation in found] == ["STATE_TRANSITION_INVALID"]
    assert found[0].field == "steps[0].state"
    assert found[0].metadata == {"from": state_name(before), "to": state_name(after)}


def test_a_report_that_is_wrong_in_several_ways_is_told_all_of_them() -> None:
    run = [step("build", SUCCEEDED), step("test"), step("ship")]
    report = [step("build", RUNNING), step("tset"), step("test"), step("test")]
    found = step_transitions(run, report, field="steps")
    assert [(violation.field, violation.reason_name) for violation in found] == [
        ("steps[0].state", "STATE_TRANSITION_INVALID"),
        ("steps[1].name", "FIELD_INVALID"),
        ("steps[3].name", "FIELD_INVALID"),
        ("steps", "FIELD_INVALID"),
    ]
    assert "is not a step of this execution" in found[1].description
    assert "is named twice" in found[2].description
    assert "is missing" in found[3].description


@given(st.lists(st.sampled_from("abcdef"), max_size=9))
def test_a_report_is_taken_only_when_it_names_each_step_once(names: list[str]) -> None:
    found = step_transitions([step(n) for n in "abc"], [step(n) for n in names], field="steps")
    assert (found == []) == (sorted(names) == ["a", "b", "c"])


@pytest.mark.parametrize("state", STATES, ids=state_name)
def test_only_a_failed_run_has_an_error(state: ExecutionState.ValueType) -> None:
    assert error_without_failure("", state, field="execution.error") is None
    violation = error_without_failure("disk full", state, field="execution.error")
    assert (violation is None) == (state == FAILED)
    assert violation is None or violation.field == "execution.error"
