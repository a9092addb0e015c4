"""Parses the requests of gRPC's own services here, and refuses in fixed words what is none.

What a deserializer raises grpc.aio answers with UNKNOWN and the exception's class and words, and
logs with a traceback: anybody could fill a disk with those, and learn what runs.

Nor do these services ask who calls. So none waits long for a request, and few of those that last
may be open: else anybody could fill the server with them, and no other call would find a place.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from symphony_server.rpc.errors import DeadlinePassed
from symphony_server.rpc.requests import Requests

Context = grpc.aio.ServicerContext[Any, Any]


class Places:
    """Those for the calls of a kind that lasts; lives on the event loop's thread."""

    def __init__(self, number: int) -> None:
        """Take how many there are."""
        self._number = self._free = number

    @asynccontextmanager
    async def taken(self, context: Context) -> AsyncIterator[None]:
        """One of them, for as long as the block lasts; without one the call is refused."""
        if not self._free:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self._number} such calls are open already; retry later",
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


def of_one_request(
    serve: Callable[[Any, Context], Awaitable[Any]],
    request_class: type[Message],
    requests: Requests,
) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of a method that takes one request; of none, it is an empty one."""

    async def enter(_: Any, context: Context) -> Any:
        return await serve(await _read(request_class, requests, context), context)

    entry: Any = enter
    # As a stream of one: see `RpcServer._method_handler`.
    return grpc.stream_unary_rpc_method_handler(entry, response_serializer=_serialize)


def of_one_request_that_lasts(
    serve: Callable[[Any, Context], Awaitable[Any]],
    request_class: type[Message],
    requests: Requests,
    places: Places,
) -> grpc.RpcMethodHandler[Any, Any]:
    """The same of a method that answers for as long as the caller stays."""

    async def enter(_: Any, context: Context) -> Any:
        async with places.taken(context):
            return await serve(await _read(request_class, requests, context), context)

    entry: Any = enter
    return grpc.stream_stream_rpc_method_handler(entry, response_serializer=_serialize)


def of_many_requests(
    serve: Callable[[Any, Context], AsyncIterable[Any]],
    request_class: type[Message],
    places: Places,
) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of a method that answers each of a stream of requests."""

    async def parsed(bodies: AsyncIterable[bytes], context: Context) -> AsyncIterator[Message]:
        async for body in bodies:
            yield await _parse(body, request_class, context)

    async def enter(bodies: AsyncIterable[bytes], context: Context) -> AsyncIterator[Any]:
        async with places.taken(context):
            async for response in serve(parsed(bodies, context), context):
                yield response

    entry: Any = enter
    return grpc.stream_stream_rpc_method_handler(entry, response_serializer=_serialize)


async def _read(request_class: type[Message], requests: Requests, context: Context) -> Message:
    try:
        body = await requests.read(context, time.monotonic_ns())
    except DeadlinePassed as passed:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, str(passed))
        raise AssertionError("abort raises") from None
    return await _parse(body, request_class, context)


async def _parse(body: bytes, request_class: type[Message], context: Context) -> Message:
    try:
        return request_class.FromString(body)
    except DecodeError:
        name = request_class.DESCRIPTOR.full_name
        await context.abort(
            grpc.StatusCode.INVALID_ARGUMENT, f"the bytes are not a {name}: they do not decode"
        )
        raise AssertionError("abort raises") from None


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
