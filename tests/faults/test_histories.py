"""Recorded histories: the everyday size of `python -m tests.faults.histories`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import ALL
from tests.faults.histories import record
from tests.faults.history_checker import check

ENGINES = ALL
SECONDS = 3.0


@pytest.mark.timeout(180)
def test_what_concurrent_callers_are_told_is_what_the_contract_says(
    engine: str, database_url: str, tmp_path: Path
) -> None:
    history, ended = record(SECONDS, engine, database_url, tmp_path)
    assert check(history) == []
    assert history.end_revision > history.start_revision
    assert ended["allowed"]
    assert ended["RESOURCE_NOT_FOUND"]
    assert any(watched.changes for watched in history.watches)
