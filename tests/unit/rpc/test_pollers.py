"""gRPC's threads of a process that serves; each process here is new, for they stay."""

from __future__ import annotations

import subprocess
import sys

from symphony_server.rpc.pollers import POLLERS

CALL = """
import asyncio, threading
import grpc
from symphony_server.rpc.pollers import poll_by_several

async def main():
    before = threading.active_count()
    server = grpc.aio.server()
    echo = grpc.unary_unary_rpc_method_handler(answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("E", {"E": echo}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    poll_by_several()
    poll_by_several()
    print(threading.active_count() - before)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/E/E")
        print(sum(await asyncio.gather(*(one(call, n) for n in range(1000)))))
    await server.stop(None)

async def answer(request, context):
    return request

async def one(call, number):
    return int(await call(str(number).encode())) == number

asyncio.run(main())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """A program's end, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )


def test_several_threads_tell_the_loop_what_came_and_the_process_ends_well() -> None:
    ended = run(CALL)
    assert (ended.stdout.split(), ended.stderr, ended.returncode) == ([str(POLLERS), "1000"], "", 0)


def test_it_says_so_when_grpc_has_no_thread_of_its_own() -> None:
    ended = run(
        "from symphony_server.rpc.pollers import poll_by_several; poll_by_several()",
    )
    assert "LookupError: grpc.aio has no thread that polls" in ended.stderr
