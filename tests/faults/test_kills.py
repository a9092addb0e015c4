"""Kills under load: the everyday size of `python -m tests.faults.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import engines
from tests.faults.kills import DATABASE, SERVER, Outcome, run

ENGINES = engines.ALL


def as_it_should_be(outcome: Outcome) -> None:
    assert outcome.wrong == []
    assert outcome.ledger.acknowledged
    assert outcome.ledger.times_unknown, "no kill came between a write and its answer"
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.audit_records == len(outcome.ledger.acknowledged)


@pytest.mark.timeout(180)
def test_a_killed_server_loses_nothing_acknowledged_and_does_nothing_twice(
    engine: str, tmp_path: Path
) -> None:
    as_it_should_be(run(engine, 2, tmp_path, SERVER))


@pytest.mark.timeout(180)
def test_a_crashed_database_loses_nothing_acknowledged_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    as_it_should_be(run(engines.POSTGRESQL, 2, tmp_path, DATABASE))
