"""Gives up on a call that nobody waits for any more."""

from __future__ import annotations

from symphony_server.rpc.errors import DeadlinePassed
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method


def deadline(method: Method, services: Services, inner: Handler) -> Handler:
    """End a call whose deadline passed while it waited to be started (grpc sheds none)."""

    async def in_time(exchange: Exchange) -> bytes:
        # None without a deadline, which grpc's stubs do not say.
        left: float | None = exchange.context.time_remaining()
        if left is not None and left <= 0:
            raise DeadlinePassed
        return await inner(exchange)

    return in_time
