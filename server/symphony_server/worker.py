"""One of several workers, started by the supervisor: `python -m symphony_server.worker`.

Its standard input is its end of a socket pair with the supervisor. See `worker_orders`.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress

import typer

from symphony_server.cli import run_server
from symphony_server.rpc.shared_buckets import SharedBuckets
from symphony_server.settings import Settings
from symphony_server.worker_orders import ALIVE, ALIVE_SECONDS, Orders, Report


async def _serve(settings: Settings, orders: Orders, supervisor: socket.socket) -> None:
    from symphony_server.serving_process import start_alone

    reader, writer = await asyncio.open_connection(sock=supervisor)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await start_alone(settings, SharedBuckets(orders.buckets))
    report = Report(port=server.port, made_admin=server.made_admin)
    writer.write(report.model_dump_json().encode() + b"\n")

    async def say_alive() -> None:
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            writer.write(ALIVE)

    async def outlive_nobody() -> None:
        with suppress(ConnectionError):  # how its end is told when it left something unread
            await reader.read()  # it says no more; its end ends this
        stop.set()

    tasks = [asyncio.create_task(say_alive()), asyncio.create_task(outlive_nobody())]
    await stop.wait()
    await server.stop()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    writer.close()


def main() -> int:
    """Serve as the supervisor says; returns the exit code."""
    supervisor = socket.socket(fileno=sys.stdin.fileno())
    with supervisor.makefile("rb", buffering=0) as lines:
        orders = Orders.model_validate_json(lines.readline())
    supervisor.setblocking(False)
    try:
        run_server(
            orders.settings,
            lambda settings: _serve(settings, orders, supervisor),
        )
    except typer.Exit as ended:
        return ended.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
