"""A server to which more comes than it takes in: calls, and requests that never arrive."""

from __future__ import annotations

import functools
import gc
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hpack import Encoder

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.user_pb2 import Tier
from symphony_server.rpc.exchange import Exchange
from symphony_server.rpc.requests import Requests
from tests.e2e.supervised import wait_until
from tests.faults.http2_connection import (
    END_HEADERS,
    HEADERS,
    Http2Connection,
    call_headers,
    frame,
)
from tests.server.world import Person, World

WHO_AM_I = "/symphony.v1.AccessService/WhoAmI"
CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE, UNAUTHENTICATED = 1, 4, 14, 16
PLACES = 5


def connection(world: World, metadata: Any) -> Http2Connection:
    return Http2Connection(
        world.server.target, call_headers(WHO_AM_I, "localhost", tuple(metadata), None)
    )


def ended(opened: Http2Connection, count: int) -> list[int]:
    """The statuses of the next calls that end."""
    found: list[int] = []
    last = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < last, found
        opened.send()
        if select.select([opened.socket], [], [], 0.01)[0]:
            found += [status for _, status in opened.receive()]
    return found


@contextmanager
def full(tmp_path: Path) -> Iterator[tuple[World, Http2Connection]]:
    """A server with few places, all of which are taken by calls that it holds back."""
    with World(tmp_path, max_calls=PLACES) as world:
        load = world.server.running.services.load
        load.stopping = True
        opened = connection(world, world.admin.metadata())
        for _ in range(PLACES):
            opened.call(b"")
        opened.send()
        while load.calls < PLACES:
            opened.send()
            opened.receive()
        try:
            yield world, opened
        finally:
            world.server.run(let_go(load.going))
            opened.socket.close()


async def let_go(going: Any) -> None:
    going.set()


def test_calls_for_which_there_is_no_place_are_turned_away_at_once_and_cost_nobody_an_answer(
    tmp_path: Path,
) -> None:
    with full(tmp_path) as (world, opened):
        for _ in range(300):
            opened.call(b"")
        # The others may wait in gRPC's core; few had been asked for before it was full.
        refused = ended(opened, 200)
        assert refused.count(CANCELLED) >= 100
        assert set(refused) <= {CANCELLED, UNAVAILABLE}
        assert world.server.running.services.load.calls <= PLACES
        world.server.run(let_go(world.server.running.services.load.going))
        rest = ended(opened, 300 + PLACES - len(refused))
        assert rest.count(0) >= PLACES
        assert set(rest) <= {0, CANCELLED, UNAVAILABLE}


def test_who_asks_a_server_without_a_place_whether_it_is_well_is_answered(tmp_path: Path) -> None:
    with full(tmp_path) as (world, _):
        health: Any = health_pb2_grpc.HealthStub(world.admin.channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_there_is_room_again_once_calls_have_ended(tmp_path: Path) -> None:
    with World(tmp_path, max_calls=PLACES) as world:
        opened = connection(world, world.admin.metadata())
        for _ in range(20 * PLACES):
            opened.call(b"")
            assert ended(opened, 1) == [0]
        opened.socket.close()


def stalled(world: World, person: Person) -> Http2Connection:
    """A call without its message."""
    opened = connection(world, person.metadata())
    headers = call_headers(WHO_AM_I, "localhost", tuple(person.metadata()), None)
    opened.open[1] = False
    opened._unsent += frame(HEADERS, END_HEADERS, 1, Encoder().encode(headers))
    return opened


def test_a_request_that_does_not_come_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_server.main.Requests", functools.partial(Requests, 0.3))
    with World(tmp_path) as world:
        opened = stalled(world, world.user(tier=Tier.TIER_FREE))
        assert ended(opened, 1) == [DEADLINE_EXCEEDED]
        opened.socket.close()
        services = world.server.running.services
        # It is counted once the caller has been told.
        wait_until(lambda: services.observations.calls[WHO_AM_I[1:], "DEADLINE_EXCEEDED"] == 1)
        assert services.load.calls == 0
        world.admin.get(world.admin.access.WhoAmI, WhoAmIRequest())
        assert not world.audit(lambda record: record.reason == "INTERNAL")


def test_nobodys_request_is_not_waited_for(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        opened = stalled(world, world.stranger)
        assert ended(opened, 1) == [UNAUTHENTICATED]
        opened.socket.close()


def test_callers_who_leave_leave_nothing_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with World(tmp_path) as world:
        for _ in range(20):
            opened = connection(world, world.admin.metadata())
            for _ in range(50):
                opened.call(b"")
            opened.send()
            opened.socket.close()
        world.admin.get(world.admin.access.WhoAmI, WhoAmIRequest())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_call_with_less_time_left_than_such_calls_take_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour_ns = 3600 * 10**9
    with World(tmp_path) as world:
        monkeypatch.setattr("symphony_server.rpc.pace.Pace.fastest_ns", lambda *_: hour_ns)
        refusal = world.admin.refused(world.admin.access.WhoAmI, WhoAmIRequest())
    assert refusal.code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "at present" in refusal.message


def test_a_refused_call_leaves_nothing_for_the_garbage_collector(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.stranger.refused(world.stranger.access.WhoAmI, WhoAmIRequest())
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                world.stranger.refused(world.stranger.access.WhoAmI, WhoAmIRequest())
            wait_until(lambda: not any(type(left) is Exchange for left in gc.get_objects()), 5)
        finally:
            gc.enable()
