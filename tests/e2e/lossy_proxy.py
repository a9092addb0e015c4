"""A TCP proxy that lets a request through and loses its answer."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Final

CHUNK_BYTES: Final = 64 * 1024
TURNS: Final = 5
"""From asyncio's accepting a connection until it is handed over; and from its end until its socket
is closed."""


class LossyProxy:
    """Stands between a client and a server on loopback, for as long as a `with` block lasts.

    The connection on which the bytes `marker` go to the server is cut as soon as the server
    answers them; nothing of the answer gets through. `losses` says how often that happens.
    """

    def __init__(self, server: str, marker: bytes, *, losses: int) -> None:
        host, _, port = server.rpartition(":")
        self._server = host, int(port)
        self._marker = marker
        self._left = losses
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lossy-proxy")
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0
        """How many answers were lost."""

    def __enter__(self) -> LossyProxy:
        self._thread.start()
        listening = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._listener = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        # Nothing more is accepted, and what was is handed over, before the listener goes: asyncio
        # never closes a connection whose listener went in between.
        for listening in self._listener.sockets:
            self._loop.remove_reader(listening.fileno())
        await self._turn()
        self._listener.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        await self._turn()  # in which those that were aborted last are closed

    async def _turn(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(from_client, to_client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # However far it came: it may be ended before it has begun.
        task.add_done_callback(lambda _: to_client.transport.abort())

    async def _serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_connection(*self._server)
        marked = asyncio.Event()

        async def up() -> None:
            seen = b""
            while data := await from_client.read(CHUNK_BYTES):
                seen = seen[-len(self._marker) :] + data
                if self._left and self._marker in seen:
                    self._left -= 1
                    marked.set()
                to_server.write(data)
                await to_server.drain()

        async def down() -> None:
            while data := await from_server.read(CHUNK_BYTES):
                # What comes at once may only acknowledge the bytes; an answer holds the trailers.
                if not marked.is_set():
                    to_client.write(data)
                    await to_client.drain()
                elif b"x-symphony-decision-id" in data or len(data) > 100:
                    self.lost += 1
                    return

        ways = [asyncio.create_task(up()), asyncio.create_task(down())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.transport.abort()
