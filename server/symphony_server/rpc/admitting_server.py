"""A grpc.aio server that takes in no more calls than are admitted.

grpc.aio takes in every call as soon as it can, and from then on each is Python's work, refused or
not: to refuse one costs nearly what it costs to answer. Calls that nobody takes in wait in gRPC's
core, which turns away those that find no place there, at a twentieth of that. So as many are asked
for as are admitted, beforehand, and few may wait in the core.

grpcio says nowhere how many calls are to be taken in, so this builds on what its server is made
of, `_request_call` and `_make_request_call_future`, as they are in 1.85.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast

import grpc
from grpc._cython import cygrpc
from grpc.aio import _server

from symphony_server.rpc.load import Load
from symphony_server.rpc.surviving_server import SurvivingServer

TURNS: Final = 5
"""From asking for a call that waits already until it has come: gRPC's own thread tells the loop,
which then sets a future, runs a task and calls back."""
PENDING: Final[Mapping[str, int]] = {
    # Those that come in one moment, before the loop has turned: a server's first callers, who were
    # connected before it began to ask. The core ends the others as CANCELLED.
    "grpc.server.max_pending_requests": 32,
    "grpc.server.max_pending_requests_hard_limit": 64,
}


def admitting_server(
    load: Load, options: Mapping[str, int], *, maximum_concurrent_rpcs: int
) -> grpc.aio.Server:
    """What `grpc.aio.server` makes, but for this; `load` is where calls are counted."""
    return cast(grpc.aio.Server, _AdmittingServer(load, options, maximum_concurrent_rpcs))


class _AdmittingServer(_server.Server):
    def __init__(self, load: Load, options: Mapping[str, int], max_concurrent: int) -> None:
        self._loop = cygrpc.get_working_loop()
        self._server = _Calls(
            self._loop, None, (), None, tuple({**options, **PENDING}.items()), max_concurrent
        )
        self._server.load = load
        load.make_room = self._server.ask


class _Calls(SurvivingServer):
    """Asks the core for calls; lives on the event loop's thread."""

    load: Load

    def __init__(self, loop: asyncio.AbstractEventLoop, *arguments: Any) -> None:
        super().__init__(loop, *arguments)
        self._event_loop = loop
        self._asked = self._came = 0
        """Calls that were asked for, and those of them that have come, since the start."""
        self._watches = False
        """Whether it is being found out how soon those that were asked for come."""
        self._arrived: deque[Any] = deque()
        """Calls that have come and that the server has not begun with."""
        self._next: asyncio.Future[Any] | None = None
        """What the server waits on while none has."""
        self._stopping = False

    def ask(self) -> None:
        """Ask for as many calls as there is room for."""
        load = self.load
        inside = load.calls + len(self._arrived)
        room = load.admission.room(inside) - (self._asked - self._came)
        load.short = room <= 0
        for _ in range(room):
            request = self._event_loop.create_task(self._request_call())
            request.add_done_callback(self._has_come)
            self._asked += 1
        if load.admission.overloaded and not self._watches:
            self._watches = True
            self._watch(self._asked, TURNS)

    def _watch(self, asked: int, turns: int) -> None:
        """There is no place left if all calls that were asked for by now have come when the event
        loop has turned so often. Fewer turns would miss those that come at once.
        """
        if turns:
            self._event_loop.call_soon(self._watch, asked, turns - 1)
            return
        self._watches = False
        if self._came >= asked:
            self.load.admission.is_full()

    def _make_request_call_future(self, registered: bytes | None) -> asyncio.Future[Any]:
        """The next call: of a registered method, or of any other."""
        if registered is not None:
            kept: asyncio.Future[Any] = super()._make_request_call_future(registered)
            # Else asyncio complains of each when the server stops.
            kept.add_done_callback(lambda task: task.cancelled() or task.exception())
            return kept
        call = self._event_loop.create_future()
        if self._arrived:
            call.set_result(self._arrived.popleft())
        else:
            self._next = call
        self.ask()
        return call

    def _has_come(self, request: asyncio.Task[Any]) -> None:
        self._came += 1
        if request.cancelled():
            return
        waiting, self._next = self._next, None
        if waiting is not None and not waiting.done():
            error = request.exception()
            if error is None:
                waiting.set_result(request.result())
            else:
                waiting.set_exception(error)
        elif request.exception() is None and not self._stopping:
            self._arrived.append(request.result())

    async def _start_shutting_down(self) -> None:
        """End the taking in; what has not been begun with ends as what is still on the wire."""
        self._stopping = True
        await super()._start_shutting_down()
        self._arrived.clear()
