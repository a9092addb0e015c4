"""The whole server inside another process, for tests and for programs that need no other.

It runs on a thread and an event loop of its own and listens on loopback, so that callers
meet the same wire, checks and records as with any server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from symphony_server.main import RunningServer, start_server
from symphony_server.settings import Settings

T = TypeVar("T")


class EmbeddedServer:
    """A server for as long as a `with` block lasts.

    >>> with EmbeddedServer(Settings(listen="127.0.0.1:0")) as server:
    ...     channel = grpc.insecure_channel(server.target)
    """

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is opened yet."""
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-server")
        self.running: RunningServer
        """The running server, inside the block."""

    @property
    def target(self) -> str:
        """`HOST:PORT` to connect to."""
        return f"{self._settings.listen.rpartition(':')[0]}:{self.running.port}"

    def __enter__(self) -> Self:
        """Start. Raises what `start_server` raises."""
        self._thread.start()
        try:
            self.running = self.run(start_server(self._settings))
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, once every call that was accepted is answered and durable."""
        try:
            self.run(self.running.stop())
        finally:
            self._end_loop()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns or raises when it is run on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
