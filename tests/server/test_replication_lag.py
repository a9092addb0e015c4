"""How far PostgreSQL's standbys are behind, as the metrics tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from symphony_server.rpc import store_health
from symphony_server.store.database import parse_url
from symphony_server.store.replication import STAGES, Lag, read_standby
from tests.postgresql_pair import PostgresqlPair, running_pair
from tests.server.scraping import Scrape, eventually
from tests.server.world import World

BYTES, SECONDS = "symphony_replication_lag_bytes", "symphony_replication_lag_seconds"
STANDBYS = "symphony_replication_standbys"


@pytest.fixture(scope="module")
def pair() -> Iterator[PostgresqlPair]:
    with running_pair() as pair:
        yield pair


def test_what_a_standby_has_yet_to_apply_is_told_as_it_grows_and_shrinks(
    pair: PostgresqlPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_health, "PROBE_SECONDS", 0.01)
    url = pair.primary.migrated_database()
    with World(tmp_path, url, metrics="127.0.0.1:0") as world:
        address = world.server.running.metrics_address
        assert address is not None

        def behind(scrape: Scrape) -> dict[str, float]:
            return scrape.by("stage", BYTES, standby="walreceiver")

        pair.standby.execute("SELECT pg_wal_replay_pause()")
        world.project(world.admin)
        scrape = eventually(address, lambda s: set(behind(s)) == {"replay"})
        assert scrape.value(STANDBYS, sync_state="sync") == 1
        assert scrape.value(BYTES, standby="walreceiver", stage="flush") == 0

        pair.standby.execute("SELECT pg_wal_replay_resume()")
        scrape = eventually(address, lambda s: not behind(s))
        assert scrape.by("stage", SECONDS, standby="walreceiver") == {}

        pair.standby.stop()
        eventually(address, lambda s: not s.by("sync_state", STANDBYS))
        pair.standby.start()
        eventually(address, lambda s: s.by("sync_state", STANDBYS) == {"sync": 1})


def test_who_may_not_see_how_far_standbys_are_sees_that_they_are_there(
    pair: PostgresqlPair,
) -> None:
    pair.primary.execute("CREATE ROLE plain LOGIN")
    url = pair.primary.url()
    for user, state, stages in (("postgres", "sync", set(STAGES)), ("plain", "unknown", set())):
        session = parse_url(url.replace("postgres@", f"{user}@")).open(read_only=True)
        (standby,) = session.standbys()
        session.close()
        assert (standby.name, standby.sync_state) == ("walreceiver", state)
        assert set(standby.lags) == stages


def test_a_standby_that_has_everything_is_not_late_whatever_was_measured_last() -> None:
    told = read_standby("near", "async", 0, 3.5, 40, None)
    assert told.lags == {"flush": Lag(0, 0.0), "replay": Lag(40, None)}
