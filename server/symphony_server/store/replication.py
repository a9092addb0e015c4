"""How far those are behind who copy the database as it is written: PostgreSQL's standbys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STAGES: Final = ("flush", "replay")
"""Of what comes to a standby: durable there, and seen by who reads there."""

STANDBYS: Final = """
SELECT application_name, sync_state,
       pg_wal_lsn_diff(now_at, flush_lsn)::bigint, extract(epoch FROM flush_lag)::float8,
       pg_wal_lsn_diff(now_at, replay_lsn)::bigint, extract(epoch FROM replay_lag)::float8
FROM pg_stat_replication,
     (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                  ELSE pg_current_wal_lsn() END AS now_at)
WHERE state IS NULL OR state IN ('catchup', 'streaming')
"""
"""As the primary sees it. Who may not see how far they are (`pg_monitor` may) sees their names."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a standby is behind."""

    bytes: int
    """Of the primary's log."""
    seconds: float | None
    """How long what it last confirmed had been on its way; None until it has confirmed some."""


@dataclass(frozen=True, slots=True)
class Standby:
    """One who copies the database."""

    name: str
    """Its `application_name`; several may have the same."""
    sync_state: str
    """What COMMIT makes of it: `async`, `potential`, `sync`, `quorum`; `unknown` if not told."""
    lags: dict[str, Lag]
    """Stage → how far it is; empty if not told."""


def read_standby(
    name: str | None,
    sync_state: str | None,
    *figures: int | float | None,
) -> Standby:
    """A row of `STANDBYS`."""
    lags = {}
    for stage, behind, seconds in zip(STAGES, figures[::2], figures[1::2], strict=True):
        if behind is not None:
            # What was measured last stands there for a while after everything has come.
            lags[stage] = Lag(max(int(behind), 0), seconds if behind > 0 else 0.0)
    return Standby(name or "", sync_state or "unknown", lags)
