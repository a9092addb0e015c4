"""The change feed as the replica hears it: messages, and an error when there are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.data_source import DataSource
from symphony_client.errors import NetworkError


async def messages(
    source: DataSource, request: WatchRequest, *, silence_seconds: float
) -> AsyncIterator[WatchResponse]:
    """Iterate over the feed; to be closed by who does not read it to its end.

    Raises:
        DataError: the watch ended so. NetworkError also when it just ended, and after a silence
            in which the contract promises a checkpoint: somebody is gone who cannot say so.
    """
    stream: Any = source.watch(request)
    try:
        while True:
            try:
                async with asyncio.timeout(silence_seconds):
                    message = await anext(stream)
            except StopAsyncIteration:
                raise NetworkError("the change feed ended") from None
            except TimeoutError:
                raise NetworkError(
                    f"the change feed said nothing for {silence_seconds:g} s"
                ) from None
            yield message
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def newest_revision(source: DataSource, *, silence_seconds: float) -> int:
    """The store's revision now: what the first checkpoint of a watch from now tells.

    Raises:
        DataError: as `messages` does.
    """
    watch = messages(source, WatchRequest(), silence_seconds=silence_seconds)
    async with aclosing(watch) as heard:  # type: ignore[type-var]
        async for message in heard:
            if message.WhichOneof("event") == "checkpoint":
                return message.checkpoint.revision
    raise AssertionError("the feed ends with an error")
