"""Parses the requests of gRPC's own services here, and refuses in fixed words what is none.

What a deserializer raises grpc.aio answers with UNKNOWN and the exception's class and words, and
logs with a traceback: anybody could fill a disk with those, and learn what runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

Context = grpc.aio.ServicerContext[Any, Any]


def of_one_request(
    serve: Callable[[Any, Context], Awaitable[Any]], request_class: type[Message], *, streams: bool
) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of a method that takes one request; of none, it is an empty one."""

    async def enter(_: Any, context: Context) -> Any:
        body: Any = await context.read()
        return await serve(await _parse(body or b"", request_class, context), context)

    entry: Any = enter
    # As a stream of one: see `RpcServer._method_handler`.
    if streams:
        return grpc.stream_stream_rpc_method_handler(entry, response_serializer=_serialize)
    return grpc.stream_unary_rpc_method_handler(entry, response_serializer=_serialize)


def of_many_requests(
    serve: Callable[[Any, Context], AsyncIterable[Any]], request_class: type[Message]
) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of a method that answers each of a stream of requests."""

    async def parsed(bodies: AsyncIterable[bytes], context: Context) -> AsyncIterator[Message]:
        async for body in bodies:
            yield await _parse(body, request_class, context)

    async def enter(bodies: AsyncIterable[bytes], context: Context) -> AsyncIterator[Any]:
        async for response in serve(parsed(bodies, context), context):
            yield response

    entry: Any = enter
    return grpc.stream_stream_rpc_method_handler(entry, response_serializer=_serialize)


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
