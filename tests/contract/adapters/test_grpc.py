"""The gRPC data source: what happens to calls when it is closed, and to those that are misused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import grpc
import pytest

from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony_client import NetworkError
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.channel_settings import ChannelSettings


@pytest.fixture
def silent_server() -> Iterator[tuple[str, Event]]:
    """A server that takes calls and does not answer them while the test lasts; the event tells
    that it has one.
    """
    asked, over = Event(), Event()

    class Handler(grpc.GenericRpcHandler):
        def service(self, _: grpc.HandlerCallDetails) -> Any:
            def never(*_: Any) -> bytes:
                asked.set()
                over.wait(30)
                return b""

            return grpc.unary_unary_rpc_method_handler(never)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", asked
    over.set()
    server.stop(None).wait()


async def test_a_call_under_way_when_the_source_is_closed_ends_in_a_network_error(
    silent_server: tuple[str, Event],
) -> None:
    target, asked = silent_server
    source = GrpcDataSource(ChannelSettings(target=target))
    call = asyncio.create_task(source.call(CreateProjectRequest(name="Unanswered")))
    assert await asyncio.to_thread(asked.wait, 20)
    await source.close()
    with pytest.raises(NetworkError, match="may have happened"):
        await call
    with pytest.raises(NetworkError, match="nothing was sent"):
        await source.call(CreateProjectRequest(name="Too late"))


async def test_a_caller_that_is_cancelled_hears_that_it_was(
    silent_server: tuple[str, Event],
) -> None:
    target, asked = silent_server
    source = GrpcDataSource(ChannelSettings(target=target))
    call = asyncio.create_task(source.call(CreateProjectRequest(name="Given up")))
    assert await asyncio.to_thread(asked.wait, 20)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await source.close()


async def test_what_is_no_unary_request_is_told() -> None:
    source = GrpcDataSource(ChannelSettings(target="127.0.0.1:1"))
    with pytest.raises(TypeError, match=r"use watch\(\)"):
        await source.call(WatchRequest())
    with pytest.raises(TypeError, match="is not a request"):
        await source.call(WatchRequest.DESCRIPTOR.GetOptions())
    await source.close()
