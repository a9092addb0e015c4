"""Batches of gRPC's operations, and those who leave before they are done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from symphony_server.rpc.whole_batches import ending

CALLS = 2000
MOST_BYTES = 200
"""Of a call that was left, its client and its server in one process; without this it is 1000
(`mallinfo2`, grpcio 1.85)."""
PROGRAM = f"""
import asyncio, ctypes, gc
import grpc
from symphony_server.memory import share_one_arena
from symphony_server.rpc.whole_batches import end_batches

class Used(ctypes.Structure):
    _fields_ = [(f"f{{n}}", ctypes.c_size_t) for n in range(10)]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Used

def used():
    gc.collect()
    return libc.mallinfo2().f7

async def answer(request, context):
    await asyncio.sleep(0.003)
    return request

async def leave(method, seconds):
    for _ in range({CALLS} // 50):
        call = method(b"x" * 1000)
        await asyncio.sleep(seconds)
        call.cancel()
        try:
            await call
        except (asyncio.CancelledError, grpc.aio.AioRpcError):
            pass  # which of them depends on who was first

async def answered(method, body):
    while True:
        try:
            return await method(body)
        except grpc.aio.AioRpcError:  # turned away beside those that have been left
            await asyncio.sleep(0.05)

async def main():
    share_one_arena()
    END
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("E", {{"E": handler}}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{{port}}") as channel:
        method = channel.unary_unary("/E/E")
        for _ in range(2):  # the first time for what is made once
            before = used()
            await asyncio.gather(*(leave(method, 0.001) for _ in range(50)))
            await answered(method, b"")
        print((used() - before) / {CALLS})
        print(len(await answered(method, b"x" * 100)))
    await server.stop(None)

asyncio.run(main())
"""


class Core:
    """Stands for gRPC's core, and counts the batches that were ended."""

    def __init__(self) -> None:
        self.future: Any = None
        self.ended = 0

    async def execute(self, call: str, operations: tuple[str, ...], loop: Any) -> None:
        assert (call, operations) == ("call", ("operation",))
        self.future = loop.create_future()
        await self.future
        self.ended += 1

    async def begun(self) -> asyncio.Task[None]:
        execute: Callable[..., Awaitable[None]] = ending(self.execute)

        async def wait() -> None:
            await execute("call", ("operation",), asyncio.get_running_loop())

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return task


async def test_a_batch_that_is_done_ends() -> None:
    core = Core()
    task = await core.begun()
    core.future.set_result(None)
    await task
    assert core.ended == 1


async def test_a_batch_that_fails_ends_too() -> None:
    core = Core()
    task = await core.begun()
    core.future.set_exception(ValueError("failed"))
    with pytest.raises(ValueError, match="failed"):
        await task
    assert core.ended == 1


async def test_whoever_waits_may_leave_and_the_batch_ends_when_the_core_is_done() -> None:
    core = Core()
    task = await core.begun()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert core.ended == 0
    core.future.set_result(None)
    assert core.ended == 1


@pytest.mark.parametrize("done_first", [True, False])
async def test_a_batch_that_is_done_in_the_moment_in_which_one_leaves_ends(
    done_first: bool,
) -> None:
    core = Core()
    task = await core.begun()
    at_once = [task.cancel, lambda: core.future.set_result(None)]
    for each in reversed(at_once) if done_first else at_once:
        each()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert core.ended == 1


async def test_what_another_loop_took_is_handed_over_in_ones_own() -> None:
    core = Core()
    task = await core.begun()
    future = core.future

    async def elsewhere() -> None:
        future.call_soon_threadsafe(future.set_result, None)

    await asyncio.to_thread(asyncio.run, elsewhere())
    await task
    assert core.ended == 1


def bytes_left(end: str) -> float:
    """What stays of each call that is left, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("END", end)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    left, echoed = done.stdout.split()
    assert echoed == "100"
    return float(left)


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc what is used")
def test_nothing_is_kept_of_calls_that_were_left() -> None:
    assert bytes_left("end_batches(); end_batches()") < MOST_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc what is used")
def test_grpcio_still_keeps_something_by_itself_or_this_can_go() -> None:
    assert bytes_left("pass") > MOST_BYTES
