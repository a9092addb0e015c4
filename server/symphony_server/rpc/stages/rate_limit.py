"""Refuses more requests than the user's tier allows."""

from __future__ import annotations

from symphony_server.refusal import Refused
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method
from symphony_server.rules.tiers import request_rate

NS_PER_MS = 1_000_000


def rate_limit(method: Method, services: Services, inner: Handler) -> Handler:
    """Hold the effective user to its tier's requests a second; a transaction is one."""
    if method.anonymous:
        return inner
    rates = services.rates
    tiers = services.deployment.tiers

    async def limited(exchange: Exchange) -> bytes:
        user = exchange.call.caller.user
        wait_ns = rates.take(user.id, user.tier)
        if wait_ns:
            # Up to the millisecond that the answer can tell, so that waiting as long is enough.
            seconds = -(-wait_ns // NS_PER_MS) / 1000
            raise Refused(
                [request_rate(tiers, user.tier, seconds, subject=f"user:{user.id}")],
                retry_after_seconds=seconds,
            )
        return await inner(exchange)

    return limited
