"""What a process sets in gRPC and in Python that does nothing but serve (docs/decisions/0018)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from symphony_server.memory import collect_seldom, share_one_arena
from symphony_server.settings import Settings

if TYPE_CHECKING:
    from symphony_server.main import RunningServer
    from symphony_server.rpc.request_rates import Buckets


def set_before_grpc() -> None:
    """What must be so before grpc is imported, or there is another thread."""
    share_one_arena()
    # gRPC's core writes past the log, in a form of its own, and anybody who connects can have it do
    # so with bytes that are no HTTP/2. What matters of it is raised as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # A listener that hands each event from thread to thread costs a call 25 µs more than the one
    # that gRPC had before.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")


async def start_alone(settings: Settings, buckets: Buckets | None = None) -> RunningServer:
    """What `start_server` starts and raises, with the process to itself."""
    from symphony_server.main import start_server
    from symphony_server.rpc.pollers import poll_by_several
    from symphony_server.rpc.whole_batches import end_batches

    end_batches()
    server = await start_server(settings, buckets=buckets)
    collect_seldom()
    poll_by_several()
    return server
