"""How many of a server's streams one user, or nobody, may have open."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from symphony.v1.user_pb2 import Role
from symphony_server.rpc import reflection, server
from symphony_server.rpc.requests import Requests
from tests.e2e.supervised import wait_until
from tests.server.follower import begun, ended, watching
from tests.server.world import TIMEOUT_SECONDS, Person, World

LIMITS = [{"max_streams_per_user": 1}, {"max_streams": 3}]
"""One a user: as it is set, and as half of three by default."""


def can_watch(person: Person) -> bool:
    with watching(person) as call:
        try:
            return begun(call) >= 0
        except grpc.RpcError:
            return False


@pytest.mark.parametrize("limit", LIMITS)
def test_a_user_who_has_as_many_watches_as_one_may_is_refused_another_and_others_are_not(
    tmp_path: Path, limit: dict[str, Any]
) -> None:
    with World(tmp_path, **limit) as world:
        user, other = world.user(), world.user()
        with watching(user) as call:
            begun(call)
            with watching(user) as more:
                refused = ended(more)
            assert can_watch(other)
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
        assert "1 streams open" in refused.message
        assert refused.details["RetryInfo"].retry_delay.ToMilliseconds() == 500
        # The server hears of the end a moment after its caller.
        wait_until(lambda: can_watch(user))
        wait_until(lambda: not world.server.running.services.load.streams_by_user)


def test_a_watch_for_another_user_is_one_of_that_user(tmp_path: Path) -> None:
    with World(tmp_path, max_streams_per_user=1) as world:
        service, user = world.user(Role.ROLE_SERVICE), world.user()
        with watching(service.acting_as(user.id)) as call:
            begun(call)
            assert can_watch(service)
            assert not can_watch(user)


def places_are_given_back(ask: Callable[[], Any]) -> None:
    """Of two places: the third call is refused, and let in when one has ended."""
    first, second = ask(), ask()
    next(first)
    next(second)
    with pytest.raises(grpc.RpcError) as caught:
        next(ask())
    refused: Any = caught.value
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.details() == "2 such calls are open already; retry later"
    first.cancel()

    def is_let_in() -> bool:
        third = ask()
        try:
            return next(third) is not None
        except grpc.RpcError:
            return False
        finally:
            third.cancel()

    wait_until(is_let_in)
    second.cancel()


def test_no_more_than_so_many_watch_the_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_HEALTH_WATCHES", 2)
    with World(tmp_path) as world:
        stub: Any = health_pb2_grpc.HealthStub(world.admin.channel)
        request = health_pb2.HealthCheckRequest()
        places_are_given_back(lambda: stub.Watch(request, timeout=TIMEOUT_SECONDS))


@pytest.fixture
def unfinished() -> Iterator[Callable[..., Iterator[bytes]]]:
    """Makes requests that are followed by nothing, not even an end, until the test's."""
    made: list[SimpleQueue[bytes | None]] = []

    def make(*bodies: bytes) -> Iterator[bytes]:
        made.append(SimpleQueue())
        for body in bodies:
            made[-1].put(body)
        return iter(made[-1].get, None)

    yield make
    for queue in made:
        queue.put(None)


def test_no_more_than_so_many_ask_for_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unfinished: Callable[..., Iterator[bytes]]
) -> None:
    monkeypatch.setattr(reflection, "MAX_OPEN", 2)
    with World(tmp_path) as world:
        stream: Any = world.admin.channel.stream_stream(f"/{reflection.V1}/ServerReflectionInfo")
        places_are_given_back(lambda: stream(unfinished(b""), timeout=TIMEOUT_SECONDS))


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_who_asks_for_the_health_without_a_message_is_not_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unfinished: Callable[..., Iterator[bytes]],
    method: str,
) -> None:
    monkeypatch.setattr("symphony_server.main.Requests", functools.partial(Requests, 0.3))
    with World(tmp_path) as world:
        stream: Any = world.admin.channel.stream_stream(f"/{server.HEALTH}/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            next(stream(unfinished(), timeout=TIMEOUT_SECONDS))
    refused: Any = caught.value
    assert refused.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refused.details() == "the request did not come in time"
