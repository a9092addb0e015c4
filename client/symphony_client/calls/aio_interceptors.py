"""Glue: the concerns as interceptors of asyncio's API, which wants one class a kind of call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc.aio

from symphony_client.calls.outgoing_call import Concern, OutgoingCall, prepare

CallT = TypeVar("CallT")
"""What gRPC gives for a call."""

Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[CallT]]


def aio_interceptors(concerns: Sequence[Concern]) -> list[grpc.aio.ClientInterceptor]:
    """Returns the interceptors that complete every call of a channel."""
    return [
        _UnaryUnary(concerns),
        _UnaryStream(concerns),
        _StreamUnary(concerns),
        _StreamStream(concerns),
    ]


class _Interceptor:
    def __init__(self, concerns: Sequence[Concern]) -> None:
        self._concerns = tuple(concerns)
        self._telling: set[asyncio.Task[None]] = set()
        """Kept from the garbage collector until they have told."""

    async def _intercept(
        self,
        continuation: Continuation[CallT],
        details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> CallT:
        # What is raised here ends the call; a PreValidationFailed is an AioRpcError for that.
        call = OutgoingCall(
            path=_text(details.method),
            request=request,
            timeout_seconds=details.timeout,
            metadata=tuple(details.metadata or ()),
        )
        prepare(self._concerns, call)
        completed = grpc.aio.ClientCallDetails(
            details.method,
            call.timeout_seconds,
            grpc.aio.Metadata(*call.metadata),
            details.credentials,
            details.wait_for_ready,
        )
        made = await continuation(completed, call.request)
        if call.ended:
            self._tell_at_the_end(call, made)
        return made

    def _tell_at_the_end(self, call: OutgoingCall, made: Any) -> None:
        def begin(_: Any) -> None:
            task = asyncio.ensure_future(_tell(call, made))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

        made.add_done_callback(begin)


async def _tell(call: OutgoingCall, made: Any) -> None:
    # Both are known by now; they are coroutines for calls that have not ended.
    code, trailing = await made.code(), await made.trailing_metadata()
    for ended in call.ended:
        ended(code, tuple(trailing or ()))


def _text(path: str | bytes) -> str:
    # Declared as str, given as bytes (grpc/aio/_interceptor.py).
    return path.decode() if isinstance(path, bytes) else path


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: Continuation[CallT],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> CallT:
        return await self._intercept(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: Continuation[CallT],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> CallT:
        return await self._intercept(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: Continuation[CallT],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> CallT:
        return await self._intercept(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self,
        continuation: Continuation[CallT],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> CallT:
        return await self._intercept(continuation, client_call_details, request_iterator)
