"""Has gRPC's batches of operations come to their end though nobody waits for them any more.

grpcio frees what a batch took, and takes what it brought, after it has waited for the batch. When
the one who waits is cancelled, or the batch fails, as all do whose caller has gone, it never gets
so far: 96 bytes and more stay for each call that was left, for as long as the process lives. So
each batch is given somebody to wait in whose place one may leave. This builds on `execute_batch`
as it is in grpcio 1.85, which awaits one future of the loop that it is given.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

from grpc._cython import cygrpc

_EXECUTE: Final = "execute_batch"


def end_batches() -> None:
    """Do so from now on, in the whole process. Raises LookupError if grpcio has no such function
    any more.
    """
    execute = getattr(cygrpc, _EXECUTE, None)
    if execute is None:
        raise LookupError("grpc.aio executes no batches: see rpc/whole_batches.py")
    if not isinstance(execute, types.FunctionType):
        setattr(cygrpc, _EXECUTE, ending(execute))


def ending(execute: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Any]:
    """What does as `execute` does, and ends each batch."""

    @types.coroutine
    def execute_batch(
        call: Any, operations: tuple[Any, ...], loop: asyncio.AbstractEventLoop
    ) -> Generator[Any, None, None]:
        waiter = _Waiter(loop)
        batch = execute(call, operations, waiter)
        batch.send(None)  # up to where it waits
        try:
            yield from waiter.come
        except BaseException:
            waiter.leave(batch)
            raise
        _end(batch)
        if waiter.error is not None:
            raise waiter.error

    return execute_batch


def _end(batch: Coroutine[Any, Any, None]) -> None:
    try:
        batch.send(None)
    except StopIteration:
        return
    raise RuntimeError("a batch of gRPC's waits twice: see rpc/whole_batches.py")


class _Waiter:
    """To a batch both the loop and the future that it makes there; lives on the loop's thread."""

    __slots__ = ("_came", "_left", "_loop", "come", "error")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._came = False
        self._left: Coroutine[Any, Any, None] | None = None
        self.come: asyncio.Future[None] = loop.create_future()
        """Done when the core is done with the batch."""
        self.error: Exception | None = None
        """What the batch failed with."""

    def leave(self, batch: Coroutine[Any, Any, None]) -> None:
        """Have the batch end without whoever waited: now, or when the core is done with it."""
        if self._came:
            _end(batch)
        else:
            self._left = batch

    def create_future(self) -> _Waiter:
        return self

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: Any) -> None:
        """What came is handed over by any loop of the process."""
        if asyncio.get_running_loop() is self._loop:
            callback(*arguments)
        else:
            self._loop.call_soon_threadsafe(callback, *arguments)

    def __await__(self) -> Generator[None, None, None]:
        yield  # to `execute_batch`, which goes on when `come` is done

    def cancelled(self) -> bool:
        return False

    def set_exception(self, error: Exception) -> None:
        self.error = error
        self.set_result(None)

    def set_result(self, _: None) -> None:
        self._came = True
        if self._left is not None:
            batch, self._left = self._left, None
            _end(batch)
        elif not self.come.done():
            self.come.set_result(None)
