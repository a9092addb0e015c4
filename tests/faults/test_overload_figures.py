"""What is called a collapse, of loads that are made up."""

from __future__ import annotations

import pytest

from tests.faults.http2_load import Report
from tests.faults.overload_figures import MORE_CALLERS, Outcome, Seen, recovery

_SECONDS = 2.0


def _seen(name: str, took: float, *, rate: int = 1000) -> Seen:
    """A load that was answered evenly."""
    answered = [(number / rate, took) for number in range(int(_SECONDS * rate))]
    report = Report(seconds=_SECONDS, sent=9, ended={0: 9}, answered=answered, busy=0.1)
    return Seen(name, report, core=0.9)


_PEAK = _seen("64 callers", 0.01)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (_seen(MORE_CALLERS, 0.05, rate=501), []),
        (_seen(MORE_CALLERS, 0.06), ["100% of the peak, 6.0 times its p99"]),
        (_seen(MORE_CALLERS, 0.01, rate=499), ["50% of the peak, 1.0 times its p99"]),
    ],
)
def test_a_long_queue_is_a_collapse_and_so_are_few_answers(more: Seen, expected: list[str]) -> None:
    outcome = Outcome("GetWorkflow", _PEAK, [more], recovery_seconds=0.1)
    assert outcome.collapsed == [f"GetWorkflow, {MORE_CALLERS}: {what}" for what in expected]


@pytest.mark.parametrize(("rate", "expected"), [(1000, 0.1), (850, float("inf"))])
def test_a_server_that_stays_slow_has_not_recovered(rate: int, expected: float) -> None:
    assert recovery(_seen("after", 0.01, rate=rate), _PEAK) == expected
