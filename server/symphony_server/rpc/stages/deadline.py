"""Gives up on a call that nobody waits for any more, or will when it is answered."""

from __future__ import annotations

import time
from typing import Final

from symphony_server.rpc.errors import DeadlinePassed
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method
from symphony_server.rpc.pace import Pace

NS_PER_SECOND: Final = 1_000_000_000
PASSED: Final = "the deadline passed before the call began"


def deadline(method: Method, services: Services, inner: Handler) -> Handler:
    """End a call whose deadline passed while it waited to be started (grpc sheds none), and
    refuse one that has less time left than the fastest of late took.
    """
    pace = Pace()

    async def in_time(exchange: Exchange) -> bytes:
        # None without a deadline, which grpc's stubs do not say.
        left: float | None = exchange.context.time_remaining()
        if left is not None:
            if left <= 0:
                raise DeadlinePassed(PASSED)
            fastest_ns = pace.fastest_ns(time.monotonic_ns())
            if left * NS_PER_SECOND < fastest_ns:
                raise _too_little(left, fastest_ns)
        answer = await inner(exchange)
        now_ns = time.monotonic_ns()
        pace.answered(now_ns - exchange.call.started_ns, now_ns)
        return answer

    async def stream_in_time(exchange: Exchange) -> bytes:
        left: float | None = exchange.context.time_remaining()
        if left is not None and left <= 0:
            raise DeadlinePassed(PASSED)
        return await inner(exchange)

    return stream_in_time if method.streams else in_time


def _too_little(left_seconds: float, fastest_ns: int) -> DeadlinePassed:
    """Said as gRPC would say it a moment later: to ask again in as little time is no use."""
    return DeadlinePassed(
        f"{left_seconds * 1e3:.1f} ms are left, and such a call takes at least "
        f"{fastest_ns / 1e6:.1f} ms at present; allow more time"
    )
