"""The two APIs behind one face, so that each behaviour is tested once for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import pytest

import symphony_client
import symphony_client.aio


class Api(Protocol):
    """Opens a channel with `connect(target, **settings)`, makes one call on it and closes it."""

    def call(self, target: str, make: Callable[[Any], Any], **settings: Any) -> Any:
        """Returns the answer of the call that `make(channel)` makes, or raises its error."""

    def read(self, target: str, make: Callable[[Any], Any], **settings: Any) -> list[Any]:
        """Returns all answers of the stream that `make(channel)` opens."""


class SyncApi:
    """`symphony_client.connect`."""

    def call(self, target: str, make: Callable[[Any], Any], **settings: Any) -> Any:
        with symphony_client.connect(target, **settings) as channel:
            return make(channel)

    def read(self, target: str, make: Callable[[Any], Any], **settings: Any) -> list[Any]:
        with symphony_client.connect(target, **settings) as channel:
            return list(make(channel))


class AioApi:
    """`symphony_client.aio.connect`."""

    def call(self, target: str, make: Callable[[Any], Any], **settings: Any) -> Any:
        async def main() -> Any:
            async with symphony_client.aio.connect(target, **settings) as channel:
                return await make(channel)

        return asyncio.run(main())

    def read(self, target: str, make: Callable[[Any], Any], **settings: Any) -> list[Any]:
        async def main() -> list[Any]:
            async with symphony_client.aio.connect(target, **settings) as channel:
                return [answer async for answer in make(channel)]

        return asyncio.run(main())


both_apis = pytest.mark.parametrize("api", [SyncApi(), AioApi()], ids=["sync", "aio"])
"""Runs a test once with each API."""
