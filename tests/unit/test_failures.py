from __future__ import annotations

import pytest

from symphony_server.store.failures import Failures
from symphony_server.store.session import DatabaseUnusable


class Timer:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_flood_of_failures_is_a_line_a_second_that_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    timer = Timer()
    failures = Failures(timer)
    refusals = []
    for _ in range(100):
        cause = DatabaseUnusable("the database x does not open:\n\tno route")
        refusals.append(failures.refusal(cause))
        timer.seconds += 0.02
    assert {refusal.first.reason_name for refusal in refusals} == {"STORE_UNAVAILABLE"}
    assert all(refusal.retry_after_seconds for refusal in refusals)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "the database x does not open: no route",
        "the database x does not open: no route (49 times more since it was last said)",
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_a_failure_in_the_middle_comes_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Failures().refusal(OSError("disk I/O error"))
    assert "disk I/O error" not in refusal.first.description
    assert caplog.records[0].exc_info is not None
    assert "disk I/O error" in caplog.text
