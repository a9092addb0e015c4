"""What a connection may carry: streams at once, and metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony_server.rpc.server import FEWEST_STREAMS
from tests.e2e.supervised import wait_until
from tests.faults.http2_connection import Http2Connection, call_headers
from tests.server.world import TIMEOUT_SECONDS, World

WHO_AM_I = "/symphony.v1.AccessService/WhoAmI"
TOKEN_BYTES = 4096
"""The largest that is taken."""


@pytest.mark.parametrize(
    ("settings", "streams"),
    [
        ({"max_calls": 700, "max_streams": 800}, 1500),
        ({"max_calls": 5, "max_streams": 5}, FEWEST_STREAMS),
    ],
)
def test_a_connection_may_have_as_many_streams_open_as_the_server_serves(
    tmp_path: Path, settings: dict[str, Any], streams: int
) -> None:
    with World(tmp_path, **settings) as world:
        opened = Http2Connection(world.server.target, call_headers(WHO_AM_I, "localhost", (), None))
        opened.send()

        def is_told() -> bool:
            opened.receive()
            return opened.max_streams == streams

        wait_until(is_told)
        opened.socket.close()


def who_am_i(world: World, more_bytes: int) -> None:
    metadata = (*world.admin.metadata(), ("x-more", "m" * more_bytes))
    world.admin.access.WhoAmI(WhoAmIRequest(), metadata=metadata, timeout=TIMEOUT_SECONDS)


def test_metadata_of_a_token_and_as_much_again_is_taken(world: World) -> None:
    for _ in range(20):  # between gRPC's two limits some would be refused
        who_am_i(world, TOKEN_BYTES + 3000)


def test_more_metadata_is_refused_always_and_by_grpc_itself(world: World) -> None:
    for _ in range(20):
        with pytest.raises(grpc.RpcError) as caught:
            who_am_i(world, 2 * TOKEN_BYTES)
        refused: Any = caught.value
        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "metadata size exceeds hard limit" in refused.details()
    who_am_i(world, 0)  # and the connection goes on
