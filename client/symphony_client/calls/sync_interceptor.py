"""Glue: the concerns as an interceptor of the synchronous API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

from symphony_client.calls.outgoing_call import Concern, Metadata, OutgoingCall, prepare
from symphony_client.calls.refused_call import RefusedCall
from symphony_client.errors import PreValidationFailed


@dataclass(frozen=True, slots=True)
class _CallDetails(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: Metadata = field(repr=False)
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class SyncInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Completes every call of a channel."""

    def __init__(self, concerns: Sequence[Concern]) -> None:
        self._concerns = tuple(concerns)

    def _intercept(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Any], Any],
        details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:
        call = OutgoingCall(
            path=details.method,
            request=request,
            timeout_seconds=details.timeout,
            metadata=tuple(details.metadata or ()),
        )
        try:
            prepare(self._concerns, call)
        except PreValidationFailed as refusal:
            return RefusedCall(refusal)
        completed = _CallDetails(
            details.method,
            call.timeout_seconds,
            call.metadata,
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )
        made = continuation(completed, call.request)
        if call.ended:
            made.add_done_callback(partial(_tell, call))
        return made

    # gRPC gives each the same three, by position.
    intercept_unary_unary: Any = _intercept
    intercept_unary_stream: Any = _intercept
    intercept_stream_unary: Any = _intercept
    intercept_stream_stream: Any = _intercept


def _tell(call: OutgoingCall, made: Any) -> None:
    """Tells those who want to know how the call ended."""
    for ended in call.ended:
        ended(made.code(), tuple(made.trailing_metadata() or ()))
