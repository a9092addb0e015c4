"""A TCP proxy whose first connection fails after a given number of bytes."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

CHUNK_BYTES: Final = 64 * 1024


class Way(Enum):
    """Which way bytes go."""

    UP = "to the server"
    DOWN = "to the client"


class Fault(Enum):
    """What becomes of the connection."""

    CUT = "cut"
    HALF_OPEN = "half-open"
    """Nothing is forwarded any more, in either direction, and nobody is told."""


class FaultyProxy:
    """Stands between a client and a server on loopback, for as long as an `async with` lasts.

    Of its first connection it forwards `boundary` bytes one way, and whatever comes the other
    way until then; then the fault happens. Later connections are only passed on. Without a fault
    the first is too.
    """

    def __init__(
        self, server: str, fault: Fault | None = None, way: Way = Way.UP, boundary: int = 0
    ) -> None:
        host, _, port = server.rpartition(":")
        self._server = host, int(port)
        self._fault = fault
        self._way = way
        self._boundary = boundary
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._count = 0
        self.forwarded = {Way.UP: 0, Way.DOWN: 0}
        """Bytes of the first connection."""
        self.fired = False
        """Whether the fault happened."""
        self.dropped = asyncio.Event()
        """Set when the server has ended a half-open connection by itself."""

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._over.set()
        await asyncio.gather(*self._tasks)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(from_client, to_client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        self._count += 1
        first = self._count == 1
        from_server, to_server = await asyncio.open_connection(*self._server)
        broken = asyncio.Event()
        ways = [
            asyncio.create_task(self._forward(Way.UP, first, from_client, to_server, broken)),
            asyncio.create_task(self._forward(Way.DOWN, first, from_server, to_client, broken)),
        ]
        ends = [asyncio.create_task(event.wait()) for event in (broken, self._over)]
        await asyncio.wait([*ways, *ends], return_when=asyncio.FIRST_COMPLETED)
        await _cancel(*ways, *ends)
        if broken.is_set() and self._fault is Fault.HALF_OPEN:
            dropping = asyncio.create_task(self._see_dropped(from_server))
            await self._over.wait()
            await _cancel(dropping)
        for writer in (to_client, to_server):
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _see_dropped(self, from_server: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while await from_server.read(CHUNK_BYTES):
                pass
        self.dropped.set()

    async def _forward(
        self,
        way: Way,
        first: bool,
        source: asyncio.StreamReader,
        into: asyncio.StreamWriter,
        broken: asyncio.Event,
    ) -> None:
        """Forward what comes, as far as it may; returns when the source has ended."""
        ends = first and self._fault is not None and way is self._way
        left = self._boundary if ends else None
        with contextlib.suppress(ConnectionError):
            while left != 0 and (data := await source.read(CHUNK_BYTES if left is None else left)):
                if broken.is_set():
                    return
                into.write(data)
                await into.drain()
                if first:
                    self.forwarded[way] += len(data)
                if left is not None:
                    left -= len(data)
        if left == 0:
            self.fired = True
            broken.set()
            await asyncio.Event().wait()


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
