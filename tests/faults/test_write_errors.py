"""System calls that fail: the everyday size of `python -m tests.faults.write_errors`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import engines
from tests.faults.system_calls import cannot_inject
from tests.faults.write_errors import BACK_SECONDS, ONCE, Outcome, run

pytestmark = pytest.mark.skipif(bool(cannot_inject()), reason=cannot_inject())

MOST = 3
KILLED_AT = {2}


def as_it_should_be(outcome: Outcome) -> None:
    assert outcome.wrong == []
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.audit_records == len(outcome.ledger.acknowledged)
    # A busy machine may take longer than the goal, a server that has given up for ever.
    assert outcome.back_seconds < 10 * BACK_SECONDS


@pytest.mark.timeout(240)
def test_a_write_or_sync_that_fails_on_sqlites_way_to_the_disk_loses_nothing(
    tmp_path: Path,
) -> None:
    calls = {"pwrite64": (1,), "fdatasync": (1,)}
    outcome = run(
        engines.SQLITE, tmp_path, ONCE, most=MOST, checkpoint_calls=calls, killed_at=KILLED_AT
    )
    as_it_should_be(outcome)
    told = {name.partition(":")[0]: site for name, site in outcome.sites.items()}
    assert told["pwrite64 symphony.db-wal 4096 bytes"].unknown
    assert told["fdatasync symphony.db-wal"].unknown
    # What a checkpoint fails to do is in the log already, and done by another.
    assert told["pwrite64 symphony.db 4096 bytes"].acknowledged
    assert told["fdatasync symphony.db"].acknowledged


@pytest.mark.timeout(240)
def test_a_write_or_sync_that_fails_on_postgresqls_way_to_the_disk_loses_nothing(
    tmp_path: Path,
) -> None:
    outcome = run(engines.POSTGRESQL, tmp_path, ONCE, most=MOST)
    as_it_should_be(outcome)
    assert outcome.sites["fdatasync pg_wal: EIO"].unknown
