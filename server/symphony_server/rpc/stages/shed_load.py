"""Refuses calls that the server could not finish in time."""

from __future__ import annotations

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method

RETRY_AFTER_SECONDS = 0.5


def shed_load(method: Method, services: Services, inner: Handler) -> Handler:
    """Bound the calls under way, and hold back those that come while the server stops."""
    load = services.load
    admission = load.admission

    async def admitted(exchange: Exchange) -> bytes:
        if load.calls >= load.max_calls:
            raise overloaded(f"{load.max_calls} calls are under way already; retry later")
        if admission.overloaded and admission.is_to_explain():
            raise overloaded("more calls come in than can be answered; retry later")
        load.calls += 1
        try:
            if load.stopping:
                load.held += 1
                await load.going.wait()
            return await inner(exchange)
        finally:
            load.calls -= 1
            if load.short:
                load.make_room()

    async def admitted_stream(exchange: Exchange) -> bytes:
        if load.stopping:
            raise _stopping()
        if load.streams >= load.max_streams:
            raise overloaded(f"{load.max_streams} streams are open already; retry later")
        load.streams += 1
        try:
            return await inner(exchange)
        finally:
            load.streams -= 1

    return admitted_stream if method.streams else admitted


def _stopping() -> Refused:
    return Refused(
        [
            Violation(
                ErrorReason.ERROR_REASON_SHUTTING_DOWN,
                "the server is stopping; retry, and another one answers",
            )
        ],
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def overloaded(description: str) -> Refused:
    """The refusal of what is too much for this server, with the time to wait."""
    return Refused(
        [Violation(ErrorReason.ERROR_REASON_OVERLOADED, description)],
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
