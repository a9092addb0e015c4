"""Several workers on one port: starts them, replaces those that die, and ends them.

Its process never imports grpc, and is not on any caller's way. When it is gone, however it ended,
the workers drain and end too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Set
from contextlib import closing
from functools import partial
from typing import Any, Final

import structlog

from symphony_server.port_reservation import PortReservation
from symphony_server.settings import Settings
from symphony_server.worker_orders import Orders
from symphony_server.worker_process import WorkerProcess

_log = structlog.stdlib.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 10.0
"""A worker that served as long is replaced at once, and without counting what was before."""
ATTEMPTS: Final = 5
"""Starts in a row that may fail while no worker serves; then there is no server here."""
STOP_MARGIN_SECONDS: Final = 30.0
"""What a worker may take beyond its grace before it is ended."""


def pause_seconds(failures: int) -> float:
    """How long to wait before another start, after so many that failed in a row."""
    return min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS) if failures else 0


def supervise(
    settings: Settings, given: dict[str, Any], announce: Callable[[str, bool], None]
) -> int:
    """Serve with as many workers as the settings say until told to end; returns the exit code.

    `given` is what the command line said. `announce` is called once all workers serve, with
    `HOST:PORT` and whether the first ADMIN was made. Raises OSError when the address is taken.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise OSError("several workers need SO_REUSEPORT, which this system does not have")
    with PortReservation(settings.listen) as port, closing(_bucket_file()) as buckets:
        said = {**given, "listen": port.address}
        supervisor = _Supervisor(settings, said, buckets.fileno(), partial(announce, port.address))
        return asyncio.run(supervisor.run())


def _bucket_file() -> Any:
    """A file without a name, which the workers map: in memory where the system knows such."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("symphony-buckets"), "r+b")
    return tempfile.TemporaryFile()


class _Supervisor:
    def __init__(
        self,
        settings: Settings,
        given: dict[str, Any],
        buckets: int,
        announce: Callable[[bool], None],
    ) -> None:
        self._settings = settings
        self._given = given
        self._buckets = buckets
        self._announce = announce
        self._alive: set[WorkerProcess] = set()
        """Every process that was started and has not ended."""
        self._serving: dict[int, WorkerProcess] = {}
        """Number → the worker that has the place; it may have ended just now."""
        self._places = {n: asyncio.Lock() for n in range(1, settings.workers + 1)}
        """Number → held while the worker of that number is exchanged."""
        self._reload = asyncio.Event()
        self._stop = asyncio.Event()
        self._announced = self._made_admin = False
        self._failed_with = 1
        """The exit code of the last worker that did not start."""
        self._code = 0

    async def run(self) -> int:
        """Serve until told to end; returns the exit code."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        serving = asyncio.create_task(self._serve())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        serving.cancel()
        await asyncio.wait((serving,))
        await self._drain(self._alive)
        if not serving.cancelled():
            serving.result()  # a fault of our own is not kept quiet
        return self._code

    def _told_to_stop(self) -> None:
        if not self._stop.is_set():
            _log.info("stopping")
            self._stop.set()
            return
        for worker in self._alive:
            worker.kill()

    async def _serve(self) -> None:
        """Start the workers and keep them; returns when there is no use in going on."""
        # The first alone: it migrates and makes the first ADMIN, and what is wrong it says once.
        first = await self._start(1)
        if first is None:
            self._code = self._failed_with
            return
        async with asyncio.TaskGroup() as group:
            reloading = group.create_task(self._reload_when_told())
            keepers = [group.create_task(self._keep(number)) for number in self._places]
            await asyncio.wait(keepers, return_when=asyncio.FIRST_COMPLETED)
            self._code = self._failed_with
            for task in (reloading, *keepers):
                task.cancel()

    async def _start(self, number: int) -> WorkerProcess | None:
        """Start a worker and give it the place once it serves; None if it does not."""
        orders = Orders(settings={**self._given, "worker": number}, buckets=self._buckets)
        try:
            worker = WorkerProcess.start(orders)
        except OSError as error:
            _log.error("worker did not start", worker=number, error=str(error))
            return None
        self._alive.add(worker)
        worker.ended.add_done_callback(lambda _: self._alive.discard(worker))
        if not await worker.serves():
            code = await asyncio.shield(worker.ended)
            # What it said itself, on standard error, says more.
            _log.warning("worker did not start", worker=number, pid=worker.pid, code=code)
            self._failed_with = max(code, 1)
            return None
        _log.info("worker serves", worker=number, pid=worker.pid)
        self._made_admin |= worker.report is not None and worker.report.made_admin
        self._serving[number] = worker
        if len(self._serving) == len(self._places) and not self._announced:
            self._announced = True
            self._announce(self._made_admin)
        return worker

    async def _keep(self, number: int) -> None:
        """Have a worker in a place, whatever happens; returns when that is hopeless."""
        failures = 0
        while True:
            worker = self._serving.get(number)
            if worker is not None:
                code = await asyncio.shield(worker.ended)
                if self._serving[number] is not worker:
                    continue
                _log.warning("worker ended", worker=number, pid=worker.pid, code=code)
                steady = time.monotonic() - worker.served_at >= STEADY_SECONDS
                failures = 0 if steady else failures + 1
            while self._serving.get(number) is worker:
                await asyncio.sleep(pause_seconds(failures))
                async with self._places[number]:
                    if self._serving.get(number) is worker and await self._start(number) is None:
                        failures += 1
                        if failures >= ATTEMPTS and not self._is_of_use():
                            _log.error("workers do not start", worker=number, attempts=failures)
                            return

    def _is_of_use(self) -> bool:
        """Whether calls are answered here, now that the start is over."""
        return self._announced and any(not w.ended.done() for w in self._serving.values())

    async def _reload_when_told(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._exchange_all()

    async def _exchange_all(self) -> None:
        """Put a new worker in each place, one at a time, so that there is always one."""
        for number, place in self._places.items():
            async with place:
                old = self._serving.get(number)
                if await self._start(number) is None:
                    _log.error("reload stopped; the other workers go on", worker=number)
                    return
                if old is not None:
                    await self._drain({old})
        _log.info("reload done")

    async def _drain(self, workers: Set[WorkerProcess]) -> None:
        """Let workers finish and end; those that do not in time are ended."""
        left = {worker.ended: worker for worker in workers if not worker.ended.done()}
        if not left:
            return
        for worker in left.values():
            worker.drain()
        bound = self._settings.drain_seconds + self._settings.grace_seconds + STOP_MARGIN_SECONDS
        _, late = await asyncio.wait(left, timeout=bound)
        for task in late:
            left[task].kill()
        if late:
            await asyncio.wait(late)
        for task, worker in left.items():
            if worker.report is not None and task.result():
                _log.error("worker did not drain", pid=worker.pid, code=task.result())
                self._code = 1
