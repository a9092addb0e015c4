"""Whether the store answers, asked now and then, for `grpc.health.v1` and the metrics."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from grpc_health.v1 import health, health_pb2

from symphony_server.refusal import Refused
from symphony_server.store.doors import Store
from symphony_server.store.replication import Standby
from symphony_server.store.transaction import Snapshot

_log = logging.getLogger(__name__)

SERVICE: Final = "symphony.store"
"""The name under which health tells it."""
PROBE_SECONDS: Final = 5.0
"""From one answer to the next question."""
TIMEOUT_SECONDS: Final = 2.0
"""How long a store may think that is to be called answering."""


def _look(snapshot: Snapshot) -> tuple[int, list[Standby]]:
    return snapshot.changes.last(), snapshot.standbys()


class StoreHealth:
    """Asks the store for its revision and its standbys, over and over; lives on the event loop's
    thread.
    """

    def __init__(self, store: Store, servicer: health.aio.HealthServicer) -> None:
        """Take the store, and the servicer to tell."""
        self._store = store
        self._servicer = servicer
        self._task: asyncio.Task[None] | None = None
        self.answers = True
        """Whether the store answered when it was last asked, or opened."""
        self.revision = 0
        """What it answered last: the revision of all servers on the database."""
        self.standbys: list[Standby] = []
        """Who copied the database when it answered last; nobody while it does not."""

    async def start(self) -> None:
        """Tell that a store that was just opened answers, and ask it from now on."""
        await self._tell(self.answers)
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _go_on(self) -> None:
        while True:
            asked = asyncio.create_task(self._ask())
            try:
                await asyncio.wait((asked,), timeout=TIMEOUT_SECONDS)
                if not asked.done():
                    await self._tell(False)
                # One question at a time: it may hold one of the store's threads for long.
                await self._tell(await asked)
            finally:
                asked.cancel()
            await asyncio.sleep(PROBE_SECONDS)

    async def _ask(self) -> bool:
        try:
            self.revision, self.standbys = await self._store.point_read(_look)
        except Refused:
            return False
        except Exception:
            _log.exception("the store could not be asked for its revision")
            return False
        return True

    async def _tell(self, answers: bool) -> None:
        if answers is not self.answers:
            _log.log(
                logging.INFO if answers else logging.ERROR,
                "the store answers" if answers else "the store does not answer",
            )
        self.answers = answers
        if not answers:
            self.standbys = []
        serving = health_pb2.HealthCheckResponse
        await self._servicer.set(SERVICE, serving.SERVING if answers else serving.NOT_SERVING)
