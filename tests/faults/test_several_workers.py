"""Watchers of several workers: the everyday size of `python -m tests.faults.several_workers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.several_workers import run


@pytest.mark.timeout(240)
def test_every_watcher_sees_every_change_once_and_no_write_fails(tmp_path: Path) -> None:
    outcome = run(6, tmp_path)
    assert outcome.writes
    assert outcome.failed == {}
    assert outcome.wrong == []
