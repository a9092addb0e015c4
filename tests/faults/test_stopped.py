"""SIGSTOP: the everyday size of `python -m tests.faults.stopped`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony_server.refusal import Refused, Violation
from tests.faults.stopped import stop_database, stop_server
from tests.server.world import World


@pytest.mark.timeout(180)
async def test_a_server_that_stood_still_has_lost_nothing_and_made_nothing_twice(
    tmp_path: Path,
) -> None:
    outcome = await stop_server(1, tmp_path)
    assert outcome.wrong == []
    assert outcome.stops.total() == 1
    assert outcome.told  # calls ended while it stood still
    assert outcome.acknowledged


@pytest.mark.timeout(240)
async def test_a_database_that_stood_still_has_lost_nothing_and_made_nothing_twice(
    tmp_path: Path,
) -> None:
    outcome = await stop_database(1, tmp_path)
    assert outcome.wrong == []
    assert outcome.stops.total() == 3
    assert outcome.told
    assert outcome.acknowledged


def test_a_server_tells_what_it_is_while_its_store_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Any) -> None:
        raise Refused([Violation(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, "it is gone")])

    with World(tmp_path) as world, monkeypatch.context() as broken:
        for door in ("point_read", "read", "write"):
            broken.setattr(world.server.running.services.store, door, fail)
        told = world.stranger.get(world.stranger.info.GetServerInfo, GetServerInfoRequest())
    assert told.contract_version == "symphony.v1"
