"""Leaves an audit record of every refusal."""

from __future__ import annotations

from symphony_server.refusal import Refused
from symphony_server.rpc.errors import DeadlinePassed
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method


def record_refusals(method: Method, services: Services, inner: Handler) -> Handler:
    """Record a refusal before it is answered; a fault too, if the store still can."""
    log = services.refusals

    async def recorded(exchange: Exchange) -> bytes:
        try:
            return await inner(exchange)
        except Refused as refused:
            await log.record(exchange.call, refused, exchange.peer)
            raise
        except DeadlinePassed:
            raise
        except Exception:
            await log.record_fault(exchange.call)
            raise

    return recorded
