"""`local`: the real server, embedded in this process."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.channel_settings import ChannelSettings
from symphony_client.data_source import Answer
from symphony_client.errors import NotFound, OperationNotSupported

if TYPE_CHECKING:
    from symphony_server.embedded import EmbeddedServer


class LocalDataSource:
    """A `DataSource` that needs no server elsewhere: it starts one on the database, and asks it
    over loopback. So the checks, the records and the answers are the server's own.

    Whoever may open the database is its operator: without a token the source makes one for
    `user`, for as long as it is open. In an empty database that user becomes the first ADMIN.
    """

    def __init__(self, database_url: str, *, user: str, channel: ChannelSettings) -> None:
        """Take the database and how to call; the server starts with the first call."""
        self._embedded = _Embedded(database_url, user, channel)
        self._act_as = ""

    async def call(self, request: Message) -> Answer:
        """See `DataSource.call`."""
        return await (await self._source()).call(request)

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """See `DataSource.watch`."""
        async for response in (await self._source()).watch(request):
            yield response

    def acting_as(self, user_id: str) -> LocalDataSource:
        """See `DataSource.acting_as`."""
        other = LocalDataSource.__new__(LocalDataSource)
        other._embedded = self._embedded
        other._act_as = user_id
        return other

    async def close(self) -> None:
        """Stop the server, once every call that it took is answered and durable."""
        await self._embedded.close()

    async def _source(self) -> GrpcDataSource:
        source = await self._embedded.open()
        return source.acting_as(self._act_as) if self._act_as else source


class _Embedded:
    """The server and the channel to it, from the first call to the end."""

    def __init__(self, database_url: str, user: str, channel: ChannelSettings) -> None:
        self._database_url = database_url
        self._user = user
        self._channel = channel
        self._opening = asyncio.Lock()
        self._server: EmbeddedServer | None = None
        self._source: GrpcDataSource | None = None

    async def open(self) -> GrpcDataSource:
        async with self._opening:
            if self._source is None:
                self._source = await asyncio.to_thread(self._start)
        return self._source

    def _start(self) -> GrpcDataSource:
        try:
            from symphony_server.embedded import EmbeddedServer
        except ImportError as error:
            raise OperationNotSupported(
                "the local data source needs the server: pip install 'symphony-data[server]'"
            ) from error
        server = EmbeddedServer.on_database(self._database_url)
        server.__enter__()
        try:
            token = self._channel.token or server.operator_token(self._user)
        except LookupError as error:
            server.__exit__(None, None, None)
            raise NotFound(str(error)) from error
        except BaseException:
            server.__exit__(None, None, None)
            raise
        self._server = server
        return GrpcDataSource(
            dataclasses.replace(
                self._channel,
                target=server.target,
                token=token,
                tls=None,
                tls_ca=None,
                tls_cert=None,
                tls_key=None,
            )
        )

    async def close(self) -> None:
        async with self._opening:
            if self._source is not None:
                await self._source.close()
            if self._server is not None:
                await asyncio.to_thread(self._server.__exit__, None, None, None)
            self._server = None
