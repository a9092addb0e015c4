"""Reads the calls' requests, and gives up those that do not come.

A request is read once it is known whose it is. Until then gRPC lets no more of it in than one
window of HTTP/2, 64 KiB, and nobody unknown can make the server keep megabytes.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import grpc

from symphony_server.rpc.errors import DeadlinePassed

Context = grpc.aio.ServicerContext[Any, Any]

MAX_SECONDS: Final = 10.0
"""How long a request may take to come: as long as a handshake."""
CROWD: Final = 100
CROWDED_PART: Final = 10
"""While more than a crowd are on their way, each has a tenth of the time: they take the places of
others."""
_NS_PER_SECOND: Final = 1_000_000_000
_GIVEN_UP: Final = 0


class Requests:
    """Those that are being read; lives on the event loop's thread."""

    def __init__(self, max_seconds: float = MAX_SECONDS) -> None:
        """Take how long one may take."""
        self._max_seconds = max_seconds
        self._reading: dict[asyncio.Task[Any], int] = {}
        """Since when, the oldest first."""

    async def read(self, context: Context, since_ns: int) -> bytes:
        """The request of a call that has lasted since then, on the monotonic clock; none at all is
        read as an empty one, which lacks what is required. Raises DeadlinePassed when it does not
        come.
        """
        task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        self._reading[task] = since_ns
        try:
            body: Any = await context.read()
        except asyncio.CancelledError:
            if self._reading[task] != _GIVEN_UP:
                raise
            task.uncancel()
            raise DeadlinePassed("the request did not come in time") from None
        finally:
            del self._reading[task]
        return body or b""

    async def give_up_stalled(self) -> None:
        """Give up those that take too long, for as long as this runs."""
        while True:
            await asyncio.sleep(self._max_seconds / CROWDED_PART / 2)
            crowded = len(self._reading) > CROWD
            most_seconds = self._max_seconds / (CROWDED_PART if crowded else 1)
            before_ns = time.monotonic_ns() - round(most_seconds * _NS_PER_SECOND)
            for task, since_ns in list(self._reading.items()):
                if since_ns > before_ns:
                    break
                if since_ns != _GIVEN_UP:
                    self._reading[task] = _GIVEN_UP
                    task.cancel()
