"""`grpc`: the real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.aio import open_channel
from symphony_client.calls.credentials import ACT_AS
from symphony_client.calls.outgoing_call import Metadata
from symphony_client.channel_settings import ChannelSettings
from symphony_client.contract_methods import ContractMethod, method_of
from symphony_client.data_source import Answer
from symphony_client.errors import NetworkError, raising_data_errors

_REVISION_TRAILER: Final = "x-symphony-revision"


class GrpcDataSource:
    """A `DataSource` that asks a server: each call has a deadline, credentials, retries where
    they are safe, and pre-validation, as its channel settings say.
    """

    def __init__(self, settings: ChannelSettings) -> None:
        """Take the settings; the channel is opened with the first call."""
        self._connection = _Connection(settings)
        self._metadata: Metadata = ()

    async def call(self, request: Message) -> Answer:
        """See `DataSource.call`."""
        method = method_of(request)
        if method.answers_with_stream:
            raise TypeError(f"{method.name} answers with a stream: use watch()")
        try:
            with raising_data_errors():
                call = self._connection.method(method)(request, metadata=self._metadata)
                message = await call
                if not method.writes:
                    return Answer(message)
                trailers: Any = await call.trailing_metadata()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._connection.closed and task is not None and not task.cancelling():
                # gRPC cancels the calls of a channel that is closed; nobody cancelled this task.
                raise NetworkError(
                    "the data source was closed before the answer came; a write may have happened"
                ) from None
            raise
        return Answer(message, _revision(trailers))

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """See `DataSource.watch`."""
        call = self._connection.method(method_of(request))(request, metadata=self._metadata)
        try:
            with raising_data_errors():
                async for response in call:
                    yield response
        finally:
            call.cancel()

    def acting_as(self, user_id: str) -> GrpcDataSource:
        """See `DataSource.acting_as`."""
        other = GrpcDataSource.__new__(GrpcDataSource)
        other._connection = self._connection
        other._metadata = ((ACT_AS, user_id),)
        return other

    async def close(self) -> None:
        """See `DataSource.close`."""
        await self._connection.close()


class _Connection:
    """One channel, opened when it is first needed, and its methods."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[str, Any] = {}
        self.closed = False

    def method(self, method: ContractMethod) -> Any:
        if self.closed:
            raise NetworkError("the data source is closed; nothing was sent")
        found = self._methods.get(method.path)
        if found is None:
            if self._channel is None:
                self._channel = open_channel(self._settings)
            make = (
                self._channel.unary_stream
                if method.answers_with_stream
                else self._channel.unary_unary
            )
            found = self._methods[method.path] = make(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
        return found

    async def close(self) -> None:
        self.closed = True
        self._methods.clear()
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()


def _revision(trailers: Any) -> int | None:
    value = dict(trailers or ()).get(_REVISION_TRAILER)
    return None if value is None else int(value)
