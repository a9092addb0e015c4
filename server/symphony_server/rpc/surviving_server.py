"""A grpc.aio server that outlives calls to paths that are no text.

grpcio decodes a call's path in the loop that takes calls in. A path that is not UTF-8 ends that
loop, and with it the server: one packet from anybody who can connect would do. Of the call itself
nothing can be seen from Python, so the loop has to be let go. Another takes its place, in a server
without a port of its own: a stand-in, which takes calls from this one and answers them with the
same handlers. This builds on `AioServer` as it is in grpcio 1.85.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from grpc._cython import cygrpc

END_OF_LOOP: Final = UnicodeDecodeError
"""What a path that is no text ends the loop with."""


class SurvivingServer(cygrpc.AioServer):  # type: ignore[misc]
    """What is behind `grpc.aio.server`, but for this; lives on the event loop's thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pool: Any, handlers: Sequence[Any], *more: Any
    ) -> None:
        """Take what `AioServer` takes; the most calls at once are the last of it."""
        self._runs_in, self._most_calls = loop, more[2]
        self._generic: list[Any] = []
        self._registered: dict[str, Any] = {}
        self._asked_for: dict[bytes | None, asyncio.Task[Any]] = {}
        """Calls that were asked for and have not been handed over."""
        self._waits_for: dict[bytes | None, asyncio.Future[Any]] = {}
        """Who is to have the next call; done when it was given up."""
        self._stand_in: _StandIn | None = None
        self._replacing: asyncio.Task[None] | None = None
        super().__init__(loop, pool, handlers, *more)

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Keep them for stand-ins too."""
        self._generic.extend(handlers)
        super().add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, handlers: Mapping[str, Any]) -> None:
        """Keep them for stand-ins too."""
        self._registered.update(handlers)
        super().add_registered_method_handlers(handlers)

    def make_stand_in(self) -> _StandIn:
        """A server that takes its calls from this one."""
        made = _StandIn(self._runs_in, None, self._generic, None, (), self._most_calls)
        made.of = self
        made.add_registered_method_handlers(self._registered)
        return made

    def _make_request_call_future(self, registered: bytes | None) -> asyncio.Future[Any]:
        """The next call. The loop that ends gives up what it waits for; but the core has been
        asked already, and writes the call where it was told to: so that is kept for the next.
        """
        # One waits at a time: whoever gave up is forgotten at once, or each loop that ended would
        # be remembered until somebody calls the method.
        call = self._waits_for[registered] = self._runs_in.create_future()
        asked = self._asked_for.get(registered)
        if asked is None:
            asked = self._asked_for[registered] = super()._make_request_call_future(registered)
            asked.add_done_callback(partial(self._hand_over, registered))
        elif asked.done():
            self._hand_over(registered, asked)
        return call

    def _hand_over(self, registered: bytes | None, asked: asyncio.Task[Any]) -> None:
        """What came, to whoever waits; if nobody does, whoever waits next gets it."""
        error = asked.exception()
        call = self._waits_for[registered]
        if call.done() or asked is not self._asked_for.get(registered):
            return
        del self._asked_for[registered]
        if error is None:
            call.set_result(asked.result())
        else:
            call.set_exception(error)

    def _serving_task_crash_handler(self, loop: asyncio.Task[None]) -> None:
        """Go on with another loop, unless this one ended by something else."""
        if loop.cancelled() or not isinstance(loop.exception(), END_OF_LOOP):
            super()._serving_task_crash_handler(loop)
        elif self.is_running():
            gone, self._stand_in = self._stand_in, self.make_stand_in()
            self._replacing = self._runs_in.create_task(self._replace(gone, self._stand_in))

    async def _replace(self, gone: _StandIn | None, by: _StandIn) -> None:
        await by.start()
        if gone is not None:
            await gone.shutdown(None)

    async def _start_shutting_down(self) -> None:
        if self._replacing is not None:
            await self._replacing
        if self._stand_in is not None:
            await self._stand_in.shutdown(None)
        with suppress(END_OF_LOOP):  # of the loop that ended long ago
            await super()._start_shutting_down()


class _StandIn(cygrpc.AioServer):  # type: ignore[misc]
    """Takes the calls of another server in."""

    of: SurvivingServer

    def __init__(self, *arguments: Any) -> None:
        self._waits_for: dict[bytes | None, asyncio.Future[Any]] = {}
        super().__init__(*arguments)

    def _make_request_call_future(self, registered: bytes | None) -> asyncio.Future[Any]:
        call = self._waits_for[registered] = self.of._make_request_call_future(registered)
        return call

    def _serving_task_crash_handler(self, loop: asyncio.Task[None]) -> None:
        self.of._serving_task_crash_handler(loop)

    async def _start_shutting_down(self) -> None:
        for call in self._waits_for.values():
            if not call.done():
                call.set_exception(cygrpc._RequestCallError())
        with suppress(END_OF_LOOP):
            await super()._start_shutting_down()
