"""Gives up on a call that nobody waits for any more."""

from __future__ import annotations

import grpc

from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method


def deadline(method: Method, services: Services, inner: Handler) -> Handler:
    """End a call whose deadline passed while it waited to be started (grpc sheds none)."""

    async def in_time(exchange: Exchange) -> bytes:
        # None without a deadline, which grpc's stubs do not say.
        left: float | None = exchange.context.time_remaining()
        if left is not None and left <= 0:
            exchange.code = grpc.StatusCode.DEADLINE_EXCEEDED
            await exchange.context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the call began"
            )
        return await inner(exchange)

    return in_time
