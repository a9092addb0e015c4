"""What `grpc.health.v1` says of the server, and of what it depends on."""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rpc import store_health
from tests.server.world import TIMEOUT_SECONDS, World

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def check(world: World, service: str) -> int:
    stub: Any = health_pb2_grpc.HealthStub(world.admin.channel)
    request = health_pb2.HealthCheckRequest(service=service)
    return int(stub.Check(request, timeout=TIMEOUT_SECONDS).status)


def watch(channel: grpc.Channel, service: str) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    return stub.Watch(request, timeout=TIMEOUT_SECONDS)


def test_a_server_that_runs_serves_with_all_its_services(world: World) -> None:
    for service in ("", "symphony.v1.WorkflowService", "symphony.store"):
        assert check(world, service) == SERVING


def test_an_unknown_service_is_not_found(world: World) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(world, "symphony.v1.NothingService")
    answer: Any = caught.value
    assert answer.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"])
@pytest.mark.parametrize(
    "method",
    [
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_bytes_that_are_no_request_are_refused_in_fixed_words(
    world: World, method: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Of gRPC's own services: grpcio would tell the exception, and log a traceback."""
    stream: Any = world.admin.channel.stream_stream(f"/{method}")
    with pytest.raises(grpc.RpcError) as caught:
        next(stream(iter([body]), timeout=TIMEOUT_SECONDS))
    refused: Any = caught.value
    assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert re.fullmatch(r"the bytes are not a grpc[\w.]+: they do not decode", refused.details())
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_check_without_a_message_is_answered_as_an_empty_one(world: World) -> None:
    stream: Any = world.admin.channel.stream_unary("/grpc.health.v1.Health/Check")
    answer = stream(iter(()), timeout=TIMEOUT_SECONDS)
    assert health_pb2.HealthCheckResponse.FromString(answer).status == SERVING


def test_a_store_that_fails_is_told_and_so_is_its_recovery_while_the_server_serves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_health, "PROBE_SECONDS", 0.01)

    async def fail(_: Any) -> None:
        raise Refused([Violation(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, "the disk is gone")])

    with World(tmp_path) as world:
        store = world.server.running.services.store
        told = watch(world.admin.channel, "symphony.store")
        assert next(told).status == SERVING
        with monkeypatch.context() as broken:
            broken.setattr(store, "point_read", fail)
            assert next(told).status == NOT_SERVING
            assert check(world, "") == SERVING
            assert check(world, "symphony.v1.WorkflowService") == SERVING
        assert next(told).status == SERVING


def test_a_store_that_does_not_answer_in_time_is_not_asked_again_until_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_health, "PROBE_SECONDS", 0.01)
    monkeypatch.setattr(store_health, "TIMEOUT_SECONDS", 0.05)
    asked: list[asyncio.Event] = []

    async def hang(_: Any) -> tuple[int, list[Any]]:
        asked.append(asyncio.Event())
        await asked[-1].wait()
        return 7, []

    with World(tmp_path) as world:
        store = world.server.running.services.store
        told = watch(world.admin.channel, "symphony.store")
        assert next(told).status == SERVING
        with monkeypatch.context() as broken:
            broken.setattr(store, "point_read", hang)
            assert next(told).status == NOT_SERVING
            assert len(asked) == 1

        async def answer() -> None:
            asked[0].set()

        world.server.run(answer())
        assert next(told).status == SERVING


def test_a_server_that_stops_no_longer_serves_whatever_its_store_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_health, "PROBE_SECONDS", 0.01)

    def all_of(told: Any) -> list[int]:
        statuses = []
        with suppress(grpc.RpcError):  # the end of the server
            for answer in told:
                statuses.append(answer.status)  # noqa: PERF401 - what came before the end counts
        return statuses

    with ThreadPoolExecutor() as readers:
        with World(tmp_path, grace_seconds=0.1) as world:
            # Not of the world's own, which it closes before the server stops.
            channel = grpc.insecure_channel(world.server.target)
            streams = [watch(channel, service) for service in ("", "symphony.store")]
            assert [next(stream).status for stream in streams] == [SERVING, SERVING]
            said = [readers.submit(all_of, stream) for stream in streams]
        assert [statuses.result()[-1] for statuses in said] == [NOT_SERVING, NOT_SERVING]
        channel.close()
