"""When fewer calls are taken in, and when as many again as ever."""

from __future__ import annotations

import pytest

from symphony_server.rpc.admission import (
    BUSY_CALLS,
    CALM_NS,
    EXPLAINED_NS,
    STANDING_NS,
    Admission,
)

MOST = 1000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1

    def __call__(self) -> int:
        return self.now_ns


def overloaded(clock: Clock) -> Admission:
    admission = Admission(MOST, clock)
    admission.room(BUSY_CALLS)
    clock.now_ns += STANDING_NS + 1
    assert admission.room(BUSY_CALLS) == 0
    return admission


def test_a_burst_is_taken_in_whole() -> None:
    clock = Clock()
    admission = Admission(MOST, clock)
    for inside in (0, 500, 999, 1000, 600, BUSY_CALLS):
        assert admission.room(inside) == MOST - inside
        clock.now_ns += STANDING_NS // 6
    assert not admission.overloaded


def test_a_queue_that_stands_leaves_room_for_a_busy_servers_calls_only() -> None:
    admission = overloaded(Clock())
    assert admission.overloaded
    assert admission.limit == BUSY_CALLS
    assert admission.room(MOST) < 0


def test_a_queue_that_was_gone_for_a_moment_has_not_stood() -> None:
    clock = Clock()
    admission = Admission(MOST, clock)
    for _ in range(10):
        admission.room(MOST - 1)
        clock.now_ns += STANDING_NS // 2
        admission.room(BUSY_CALLS - 1)
        clock.now_ns += STANDING_NS // 2
    assert admission.limit == MOST


def test_nothing_is_left_of_a_burst_after_which_nobody_called() -> None:
    clock = Clock()
    admission = Admission(MOST, clock)
    for _ in range(3):
        for inside in (BUSY_CALLS, MOST - 1):
            assert admission.room(inside) == MOST - inside
            clock.now_ns += STANDING_NS // 2
        clock.now_ns += 60 * CALM_NS
        assert admission.room(0) == MOST


@pytest.mark.parametrize(("busy_part", "expected"), [(0.6, False), (0.75, True)])
def test_a_queue_that_is_seldom_gone_stands(busy_part: float, expected: bool) -> None:
    clock = Clock()
    admission = Admission(MOST, clock)
    seen = False
    for _ in range(100):
        admission.room(MOST - 1)
        clock.now_ns += int(STANDING_NS / 10 * busy_part)
        admission.room(MOST - 1)
        admission.room(BUSY_CALLS - 1)
        clock.now_ns += int(STANDING_NS / 10 * (1 - busy_part))
        seen |= admission.overloaded
    assert seen == expected


def test_after_a_second_in_which_there_was_room_a_burst_is_taken_in_again() -> None:
    clock = Clock()
    admission = overloaded(clock)
    clock.now_ns += CALM_NS - 1
    admission.is_full()
    clock.now_ns += CALM_NS
    assert admission.room(0) == BUSY_CALLS
    clock.now_ns += 1
    assert admission.room(0) == MOST
    assert not admission.overloaded


def test_only_in_an_overload_is_a_call_refused_to_explain_it_and_seldom() -> None:
    clock = Clock()
    assert not Admission(MOST, clock).is_to_explain()
    admission = overloaded(clock)
    assert admission.is_to_explain()
    assert not admission.is_to_explain()
    clock.now_ns += EXPLAINED_NS
    assert admission.is_to_explain()
    clock.now_ns += STANDING_NS
    assert not admission.is_to_explain()


def test_a_small_limit_is_never_made_larger() -> None:
    clock = Clock()
    admission = Admission(3, clock)
    admission.room(3)
    clock.now_ns += STANDING_NS + 1
    assert admission.room(3) == 0
    assert admission.limit == 3
