"""Turns what came out of a call into an answer: trailing metadata, or a status."""

from __future__ import annotations

from typing import Final

import structlog

from symphony_server.refusal import Refused
from symphony_server.rpc.errors import (
    DeadlinePassed,
    Status,
    deadline_status,
    internal_status,
    status_of,
)
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method
from symphony_server.rpc.refusal_log import UNRECORDED

DECISION_ID: Final = "x-symphony-decision-id"
REVISION: Final = "x-symphony-revision"
REQUEST_ID: Final = "x-request-id"
_DETAILS: Final = "grpc-status-details-bin"
_PUSHBACK: Final = "grpc-retry-pushback-ms"
"""What gRPC's own retries wait for; it says the same as RetryInfo (gRFC A6)."""

_log = structlog.stdlib.get_logger("symphony.faults")


def answer(method: Method, services: Services, inner: Handler) -> Handler:
    """Send trailing metadata with every answer, and a status for every refusal and fault."""

    async def answered(exchange: Exchange) -> bytes:
        call = exchange.call
        pushback = None
        try:
            response = await inner(exchange)
        except Refused as refused:
            pushback = refused.retry_after_seconds
            if refused.first.code in UNRECORDED:
                # The record that it named may have gone with the transaction.
                call.decision_id = ""
            status = status_of(refused, request_id=call.request_id, decision_id=call.decision_id)
        except DeadlinePassed as passed:
            status = deadline_status(passed)
        except Exception:
            _log.exception(
                "fault",
                method=method.name,
                request_id=call.request_id,
                decision_id=call.decision_id,
                trace_id=exchange.trace_id,
            )
            status = internal_status(call.request_id)
        else:
            exchange.context.set_trailing_metadata(_trailing(exchange))
            return response
        await _abort(exchange, status, pushback)
        raise AssertionError("abort raises")

    return answered


def _trailing(exchange: Exchange) -> tuple[tuple[str, str | bytes], ...]:
    call = exchange.call
    request_id = (REQUEST_ID, call.request_id)
    if call.revision is not None:
        return request_id, (DECISION_ID, call.decision_id), (REVISION, str(call.revision))
    if call.decision_id:
        return request_id, (DECISION_ID, call.decision_id)
    return (request_id,)


async def _abort(exchange: Exchange, status: Status, pushback_seconds: float | None) -> None:
    exchange.code, exchange.reason = status.code, status.reason
    trailing = (*_trailing(exchange), (_DETAILS, status.details))
    if pushback_seconds is not None:
        trailing = (*trailing, (_PUSHBACK, str(round(pushback_seconds * 1000))))
    await exchange.context.abort(status.code, status.message, trailing)
