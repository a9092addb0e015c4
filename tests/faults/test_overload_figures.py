"""What is called a collapse, of loads that are made up."""

from __future__ import annotations

import pytest

from tests.faults.http2_load import Report
from tests.faults.overload_figures import MORE_CALLERS, Outcome, Seen

_SECONDS = 2.0


def _seen(
    name: str, took: float, *, rate: int = 1000, slow_until: float = 0, burst_at: float = 0
) -> Seen:
    """A load that was answered evenly, ten times as slowly until then."""
    times = [number / rate for number in range(int(_SECONDS * rate))]
    answered = [(at, took * 10 if at < slow_until else took) for at in times]
    report = Report(
        seconds=_SECONDS, sent=9, ended={0: 9}, answered=answered, burst_at=burst_at, busy=0.1
    )
    return Seen(name, report, core=0.9)


def _collapsed(more: Seen, after: Seen | None = None) -> list[str]:
    outcome = Outcome("GetWorkflow", _seen("64 callers", 0.01), [more])
    outcome.after = after or _seen("after", 0.01)
    return outcome.collapsed


@pytest.mark.parametrize(("burst_at", "slow_until"), [(0, 0.9), (0.9, 1.8)])
def test_a_burst_may_be_taken_in_whenever_it_begins(burst_at: float, slow_until: float) -> None:
    assert _collapsed(_seen(MORE_CALLERS, 0.01, burst_at=burst_at, slow_until=slow_until)) == []


def test_a_queue_that_stays_is_a_collapse() -> None:
    slow = _seen(MORE_CALLERS, 0.01, slow_until=_SECONDS)
    assert _collapsed(slow) == [
        "GetWorkflow, 10 x the callers: 100% of the peak, 10.0 times its p99"
    ]


def test_a_slower_core_is_none() -> None:
    assert _collapsed(_seen(MORE_CALLERS, 0.06, rate=600)) == []


def test_fewer_answers_are_a_collapse() -> None:
    assert _collapsed(_seen(MORE_CALLERS, 0.01, rate=499)) == [
        "GetWorkflow, 10 x the callers: 50% of the peak, 1.0 times its p99"
    ]


def test_a_server_that_stays_slow_has_not_recovered() -> None:
    fast = _seen(MORE_CALLERS, 0.01)
    assert _collapsed(fast, after=_seen("after", 0.01, rate=450)) == [
        "GetWorkflow: it did not recover"
    ]
    assert _collapsed(fast, after=_seen("after", 0.01, rate=550)) == []
