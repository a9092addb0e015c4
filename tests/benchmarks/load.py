"""A plan of calls, and what makes them where there is no Go: a process of its own, so that the
server's CPU is the server's alone.

python -m tests.benchmarks.load, with a `Plan` as one line of JSON on standard input; prints an
`Outcome` as JSON.
"""

from __future__ import annotations

import asyncio
import http.client
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, Literal

import grpc
import uvloop
from pydantic import BaseModel, ConfigDict

MARK = b"@@NAME@@"
"""Where each request gets a name of its own, of the same length."""
FIRST_OF_CHANGE = b"\x0a"
"""What a WatchResponse with a change starts with: field 1, its bytes."""


class Plan(BaseModel):
    """What to call, how often and from how many callers. `load_go` reads the same."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["grpc", "http", "watch"] = "grpc"
    target: str
    method: str
    """The full name of a gRPC method, or `POST /path`."""
    request: bytes
    metadata: tuple[tuple[str, str], ...] = ()
    calls: int = 0
    """At most so many; 0 for as many as there is time for."""
    seconds: float = 0
    """At most so long; 0 for as long as the calls take."""
    callers: int = 1
    """Each calls again as soon as it is answered."""
    connections: int = 1
    first_name: int = 0
    name_step: int = 1
    names: int = 10**8
    """The n-th call's name is (`first_name` + n * `name_step`) modulo `names`, in 8 digits."""

    streams: int = 0
    """Of a `watch`: opened first; then the calls are made one at a time, each of which changes
    one thing, and each stream is waited for."""
    stream_method: str = ""
    stream_request: bytes = b""
    interval_seconds: float = 0
    """From one call to the next, if the streams are told by then."""

    def request_of(self, number: int) -> bytes:
        """What the number-th call sends."""
        name = (self.first_name + number * self.name_step) % self.names
        return self.request.replace(MARK, b"%08d" % name)


class Outcome(BaseModel):
    """How it went. Latencies are of calls, or of deliveries to streams."""

    calls: int
    seconds: float
    p50_us: float
    p99_us: float
    max_us: float


async def run(plan: Plan) -> Outcome:
    """Make the calls; raises on the first that fails."""
    if plan.kind == "http":
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(plan.callers))
        return await _in_loops(plan, _http_call(plan))
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(plan.target, _CHANNEL))
            for _ in range(plan.connections)
        ]
        methods: list[Any] = [channel.unary_unary(plan.method) for channel in channels]

        async def call(caller: int, request: bytes) -> None:
            await methods[caller % len(methods)](request, metadata=plan.metadata)

        return await (_watch(plan, channels, call) if plan.streams else _in_loops(plan, call))


# A pool of connections is shared by channels with the same arguments, unless told otherwise.
_CHANNEL = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))

Call = Callable[[int, bytes], Awaitable[None]]


async def _in_loops(plan: Plan, call: Call) -> Outcome:
    latencies: list[float] = []
    numbers: Iterator[int] = iter(range(plan.calls or sys.maxsize))
    began = time.perf_counter()

    async def caller(which: int) -> None:
        for number in numbers:
            sent = time.perf_counter()
            if plan.seconds and sent - began >= plan.seconds:
                return
            await call(which, plan.request_of(number))
            latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(caller(which) for which in range(plan.callers)))
    return _outcome(len(latencies), time.perf_counter() - began, latencies)


def _http_call(plan: Plan) -> Call:
    """Each caller keeps a connection, and a thread that waits."""
    verb, _, path = plan.method.partition(" ")
    connections: dict[int, http.client.HTTPConnection] = {}

    def ask(caller: int, request: bytes) -> None:
        if caller not in connections:
            connections[caller] = http.client.HTTPConnection(plan.target)
        connections[caller].request(verb, path, request, dict(plan.metadata))
        answer = connections[caller].getresponse()
        said = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{plan.method}: {answer.status}: {said[:500]!r}")

    async def call(caller: int, request: bytes) -> None:
        await asyncio.to_thread(ask, caller, request)

    return call


async def _watch(plan: Plan, channels: list[grpc.aio.Channel], call: Call) -> Outcome:
    began = time.perf_counter()
    sent: list[float] = []
    latencies: list[float] = []
    opened, told = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def listen(channel: grpc.aio.Channel) -> None:
        method: Any = channel.unary_stream(plan.stream_method)
        changes, first = 0, True
        async for message in method(plan.stream_request, metadata=plan.metadata):
            if first:
                opened.release()
                first = False
            if message.startswith(FIRST_OF_CHANGE):
                latencies.append(time.perf_counter() - sent[changes])
                changes += 1
                told.release()
            if changes == plan.calls:
                return

    async def write() -> None:
        for _ in range(plan.streams):
            await opened.acquire()
        print(flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in range(plan.calls):
            sent.append(time.perf_counter())
            await call(0, plan.request_of(number))
            for _ in range(plan.streams):
                await told.acquire()
            await asyncio.sleep(plan.interval_seconds - (time.perf_counter() - sent[-1]))

    async with asyncio.TaskGroup() as group:
        for number in range(plan.streams):
            group.create_task(listen(channels[number % len(channels)]))
        group.create_task(write())
    return _outcome(plan.calls, time.perf_counter() - began, latencies)


def _outcome(calls: int, seconds: float, latencies: list[float]) -> Outcome:
    latencies.sort()

    def at(share: float) -> float:
        return latencies[min(int(share * len(latencies)), len(latencies) - 1)] * 1e6

    return Outcome(calls=calls, seconds=seconds, p50_us=at(0.5), p99_us=at(0.99), max_us=at(1))


if __name__ == "__main__":
    print(uvloop.run(run(Plan.model_validate_json(sys.stdin.readline()))).model_dump_json())
