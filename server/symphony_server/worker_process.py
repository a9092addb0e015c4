"""One worker, as its supervisor sees it: a process that is started, heard and ended."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final, Self

from symphony_server.worker_orders import ALIVE_SECONDS, Orders, Report

START_SECONDS: Final = 300.0
"""How long a worker may take until it serves: it may have to apply a long migration."""
SILENT_SECONDS: Final = 30 * ALIVE_SECONDS
"""How long a worker that serves may say nothing; its event loop does nothing else then either."""
_COMMAND: Final = (sys.executable, "-m", "symphony_server.worker")


class WorkerProcess:
    """A process with an interpreter of its own: after grpc is imported, forking hangs
    (grpc#17093).
    """

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        """Take a process that was started; see `start`."""
        self.pid = process.pid
        self.report: Report | None = None
        """What it said when it began to serve."""
        self.served_at = 0.0
        """When that was, on the monotonic clock."""
        self._process = process
        self._socket = ours
        self._told = asyncio.Event()
        self.ended = asyncio.create_task(self._hear())
        """Done, with the exit code, when the process has ended."""

    @classmethod
    def start(cls, orders: Orders) -> Self:
        """Start a process and tell it its orders; to be called on a running event loop.

        Raises OSError when the system has no room for another process.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - this program itself
                _COMMAND,
                stdin=theirs.fileno(),
                pass_fds=(orders.buckets,),
                process_group=0,  # Ctrl-C on a terminal is for the supervisor alone
            )
        with suppress(ConnectionError):  # it has ended already, which is seen later
            ours.sendall(orders.model_dump_json().encode() + b"\n")
        ours.setblocking(False)
        return cls(process, ours)

    async def serves(self) -> bool:
        """Whether it serves, as soon as it does; False if it ended before, or took too long."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._told.wait()
        except TimeoutError:
            self.kill()
        return self.report is not None

    def drain(self) -> None:
        """Let it finish what runs, and end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    async def _hear(self) -> int:
        reader, writer = await asyncio.open_connection(sock=self._socket)
        try:
            line = await reader.readline()
            if line.endswith(b"\n"):
                self.report = Report.model_validate_json(line)
                self.served_at = time.monotonic()
                self._told.set()
                await self._hear_on(reader)
        except ConnectionError:
            pass  # as good as its end
        finally:
            writer.close()
        code = await asyncio.to_thread(self._process.wait)
        self._told.set()
        return code

    async def _hear_on(self, reader: asyncio.StreamReader) -> None:
        """Return when it says no more; end it when it falls silent."""
        silent = False
        while True:
            try:
                async with asyncio.timeout(SILENT_SECONDS / 2):
                    if not await reader.read(4096):
                        return
                    silent = False
            except TimeoutError:
                # Twice, for after a pause of the whole machine this comes before what was said.
                if silent:
                    self.kill()
                    return
                silent = True
