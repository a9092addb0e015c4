from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowStep
from symphony_server.rules.estimates import (
    DEFAULT_STEP_COMPUTE_UNITS,
    DEFAULT_STEP_DURATION_US,
    MAX_ESTIMATED_SECONDS,
    critical_path_us,
    duration_message,
    duration_us,
    seconds_text,
    step_compute_units,
    step_duration_us,
    total_compute_units,
)
from tests.unit.rules.builders import SECOND, step

LONGEST_US = 1000 * MAX_ESTIMATED_SECONDS * SECOND


def test_a_step_that_states_nothing_counts_5_seconds_and_10_compute_units() -> None:
    assert step_duration_us(step("a")) == 5 * SECOND == DEFAULT_STEP_DURATION_US
    assert step_compute_units(step("a")) == 10 == DEFAULT_STEP_COMPUTE_UNITS


@pytest.mark.parametrize("us", [0, 1, 999_999, SECOND, 90 * SECOND + 500_000])
def test_a_step_counts_the_duration_it_states_even_none_at_all(us: int) -> None:
    assert step_duration_us(step("a", us=us)) == us


@pytest.mark.parametrize("units", [0, 1, 1_000_000_000])
def test_a_step_counts_the_compute_units_it_states_even_none_at_all(units: int) -> None:
    assert step_compute_units(step("a", units=units)) == units


def test_the_compute_units_of_all_steps_are_added() -> None:
    assert total_compute_units([step("a"), step("b", units=0), step("c", units=7)]) == 17
    assert total_compute_units([]) == 0


def test_what_is_less_than_a_microsecond_is_dropped() -> None:
    assert duration_us(Duration(seconds=1, nanos=1_999)) == SECOND + 1
    stated = WorkflowStep(estimated_duration=Duration(seconds=1, nanos=1_999))
    assert step_duration_us(stated) == SECOND + 1


@given(st.integers(0, LONGEST_US))
def test_microseconds_survive_the_way_into_a_message_and_back(us: int) -> None:
    message = duration_message(us)
    assert duration_us(message) == us
    assert message.ToMicroseconds() == us


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (250_000, "0.25"),
        (SECOND, "1"),
        (10 * SECOND, "10"),
        (600 * SECOND, "600"),
        (90 * SECOND + 500_000, "90.5"),
    ],
)
def test_seconds_are_written_without_needless_zeros(us: int, text: str) -> None:
    assert seconds_text(us) == text


def test_the_critical_path_is_the_longest_way_through() -> None:
    #   0 ─ 1 ─┐
    #   2 ─────┴ 3    4
    needs = [[], [0], [], [1, 2], []]
    assert critical_path_us([1, 2, 10, 4, 13], needs, [0, 1, 2, 3, 4]) == 14
    assert critical_path_us([1, 2, 10, 4, 15], needs, [4, 2, 0, 1, 3]) == 15
    assert critical_path_us([], [], []) == 0


def test_an_order_that_puts_a_step_before_one_it_needs_has_no_critical_path() -> None:
    assert critical_path_us([1, 1], [[1], []], [0, 1]) is None


def test_the_longest_duration_is_the_contracts() -> None:
    rules = str(WorkflowCost.DESCRIPTOR.fields_by_name["estimated_duration"].GetOptions())
    assert f"seconds: {MAX_ESTIMATED_SECONDS}" in rules
