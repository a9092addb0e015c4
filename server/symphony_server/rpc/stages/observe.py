"""Counts and logs every call."""

from __future__ import annotations

import logging
import time

import grpc
import structlog

from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method

_log = structlog.stdlib.get_logger("symphony.calls")


def observe(method: Method, services: Services, inner: Handler) -> Handler:
    """Count every call and the time it took; log refusals, as many a second as are worth it, and
    at DEBUG every call.
    """
    seen, quota = services.observations, services.log_quota
    level = logging.getLogger("symphony.calls")

    async def observed(exchange: Exchange) -> bytes:
        try:
            return await inner(exchange)
        except BaseException:
            if exchange.code is grpc.StatusCode.OK:
                # Neither answered nor refused: the client left.
                exchange.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            call = exchange.call
            took_ns = time.monotonic_ns() - call.started_ns
            seen.add(call, exchange.code, exchange.reason, took_ns, exchange.trace_id)
            skipped: int | None = 0
            if exchange.reason:
                skipped = quota.take()
            if skipped is not None and level.isEnabledFor(
                logging.INFO if exchange.reason else logging.DEBUG
            ):
                _log.log(
                    logging.INFO if exchange.reason else logging.DEBUG,
                    "call",
                    method=method.name,
                    code=exchange.code.name,
                    reason=exchange.reason,
                    request_id=call.request_id,
                    decision_id=call.decision_id,
                    trace_id=exchange.trace_id,
                    caller_id=call.caller.principal.id,
                    user_id=call.caller.user.id,
                    milliseconds=round(took_ns / 1e6, 3),
                    **({"refusals_not_logged": skipped} if skipped else {}),
                )

    return observed
