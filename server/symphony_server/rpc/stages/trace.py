"""Makes a span of every call, in the trace that the caller began. Needs OpenTelemetry.

Names are those of its semantic conventions for RPC, and `symphony.…` for what is ours.
"""

from __future__ import annotations

from typing import Final

import grpc
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method

OURS: Final = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""What the conventions call an error of a server; the others are the caller's."""

_CONTEXT: Final = TraceContextTextMapPropagator()


def trace(method: Method, services: Services, inner: Handler) -> Handler:
    """Make each call a span, current while it runs, with the ids that its records have."""
    tracer = services.tracer
    if tracer is None:
        return inner
    return _traced(method, tracer, inner)


def _traced(method: Method, tracer: Tracer, inner: Handler) -> Handler:
    name = method.name
    given = {
        "rpc.system": "grpc",
        "rpc.service": method.service,
        "rpc.method": name.rpartition("/")[2],
    }

    async def traced(exchange: Exchange) -> bytes:
        span = tracer.start_span(
            name,
            context=_CONTEXT.extract(exchange.metadata),
            kind=SpanKind.SERVER,
            attributes=given,
        )
        context = span.get_span_context()
        if context.is_valid:
            exchange.trace_id = f"{context.trace_id:032x}"
        try:
            # What a fault says is for the log only.
            with use_span(span, record_exception=False, set_status_on_exception=False):
                return await inner(exchange)
        finally:
            if span.is_recording():
                _tell(span, exchange)
            span.end()

    return traced


def _tell(span: Span, exchange: Exchange) -> None:
    call = exchange.call
    code: int = exchange.code.value[0]
    span.set_attribute("rpc.grpc.status_code", code)
    for key, value in (
        ("symphony.request_id", call.request_id),
        ("symphony.decision_id", call.decision_id),
        ("symphony.reason", exchange.reason),
        ("symphony.caller_id", call.caller.principal.id),
        ("symphony.user_id", call.caller.user.id),
    ):
        if value:
            span.set_attribute(key, value)
    if exchange.code in OURS:
        span.set_status(Status(StatusCode.ERROR, exchange.reason))
