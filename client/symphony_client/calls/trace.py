"""Which trace a call is part of."""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import grpc

from symphony_client.calls.outgoing_call import Metadata, OutgoingCall

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_OPENTELEMETRY: Final = "opentelemetry.trace"
_IDS: Final = {
    "x-request-id": "symphony.request_id",
    "x-symphony-decision-id": "symphony.decision_id",
}
"""Trailing metadata → the attribute that keeps it."""


class Trace:
    """Makes a span of every call, and tells the server to go on from it (W3C Trace Context).

    It is for programs that have imported OpenTelemetry; without, nothing is done, and as long
    as no provider is set the spans are nothing either. A call that brings a `traceparent` keeps
    it and gets no span.
    """

    def __init__(self) -> None:
        self._tracer: Tracer | None = None

    def prepare(self, call: OutgoingCall) -> None:
        """Begins the span and adds `traceparent`."""
        # Not imported here: who has not imported it has no trace to be part of.
        if sys.modules.get(_OPENTELEMETRY) is not None:
            if self._tracer is None:
                from opentelemetry import trace

                self._tracer = trace.get_tracer("symphony_client", version("symphony-data"))
            _begin(call, self._tracer)


def _begin(call: OutgoingCall, tracer: Tracer) -> None:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if any(key == "traceparent" for key, _ in call.metadata):
        return
    service, _, method = call.path.removeprefix("/").partition("/")
    span = tracer.start_span(
        f"{service}/{method}",
        kind=trace.SpanKind.CLIENT,
        attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method},
    )
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, trace.set_span_in_context(span))
    call.metadata += tuple(headers.items())
    if span.is_recording():
        call.ended.append(partial(_end, span))


def _end(span: Span, code: grpc.StatusCode, trailing: Metadata) -> None:
    from opentelemetry.trace import Status, StatusCode

    number: int = code.value[0]
    span.set_attribute("rpc.grpc.status_code", number)
    for key, value in trailing:
        if key in _IDS:
            span.set_attribute(_IDS[key], value)
    if code is not grpc.StatusCode.OK:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
