"""A lost primary: the everyday size of `python -m tests.faults.failover`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.failover import WRITES_BACK_SECONDS, lose_primaries


@pytest.mark.timeout(180)
def test_servers_follow_the_primary_and_lose_nothing_acknowledged(tmp_path: Path) -> None:
    outcome = lose_primaries(1, tmp_path)
    assert outcome.wrong == []
    assert outcome.acknowledged
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.audit_records == outcome.acknowledged
    # The goal is 5 s; a busy machine may take longer, a server that does not follow for ever.
    assert max(outcome.back_seconds) < 4 * WRITES_BACK_SECONDS
