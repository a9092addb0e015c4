"""A full disk: the everyday size of `python -m tests.faults.full_disk`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.full_disk import Outcome, run_on_a_small_disk, run_with_a_size_limit
from tests.faults.write_errors import BACK_SECONDS


@pytest.mark.timeout(180)
@pytest.mark.parametrize("run", [run_on_a_small_disk, run_with_a_size_limit])
def test_on_a_full_disk_reads_are_answered_and_nothing_acknowledged_is_lost(
    tmp_path: Path, run: Callable[[int, Path], Outcome | None]
) -> None:
    outcome = run(2, tmp_path)
    if outcome is None:
        pytest.skip("it takes root to mount a small disk")
    assert outcome.wrong == []
    assert outcome.reads == 2
    assert outcome.verdict is not None
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.audit_records == len(outcome.ledger.acknowledged)
    # A busy machine may take longer than the goal, a server that has given up for ever.
    assert max(outcome.back_seconds) < 10 * BACK_SECONDS
