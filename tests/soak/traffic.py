"""Mixed traffic to one server, at a steady pace."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any, Final

import grpc

from symphony.v1.audit_service_pb2 import ListAuditRecordsRequest
from symphony.v1.change_service_pb2 import WatchRequest
from tests.e2e.place import Place
from tests.soak.acts import ACTS
from tests.soak.visitor import Pace, Visitor

PEOPLE: Final = 6
STANDING: Final = 12
"""Workflows of each that stay."""
ACTORS: Final = 24
"""How many do something at once."""
FOLLOWERS: Final = 12
"""How many watch all the time."""
AUDIT_PAGE: Final = 1000
MOST_TOLD: Final = 20
"""Kinds of unexpected answers that are kept apart; more would be a list of noise."""


class Traffic:
    """Visitors of a place, and what they were told."""

    def __init__(self, place: Place, calls_per_second: float) -> None:
        self.pace = Pace(calls_per_second)
        self.unexpected: Counter[str] = Counter()
        """What went otherwise than it should, and how often."""
        self.changes = 0
        """How many changes the followers were told of."""
        self._visitors = [self._move_in(place) for _ in range(PEOPLE)]
        admin = place.admin
        self._admin = Visitor(
            place.server.target, admin.secret or "", self.pace, self._visitors[0].project, []
        )

    def _move_in(self, place: Place) -> Visitor:
        owner = place.user()
        project = place.project(owner)
        workflows = [place.workflow(owner, project) for _ in range(STANDING)]
        return Visitor(place.server.target, owner.secret or "", self.pace, project, workflows)

    @property
    def told(self) -> Counter[str]:
        """Status code → how many calls ended so."""
        return sum((visitor.told for visitor in self._visitors), Counter[str]())

    async def run(self, seconds: float) -> None:
        """Visit for so long; every connection is closed at the end."""
        over = asyncio.Event()
        async with AsyncExitStack() as stack:
            for visitor in self._visitors:
                await stack.enter_async_context(visitor)
            followers = [
                asyncio.create_task(self._follow(self._visitors[n % PEOPLE]))
                for n in range(FOLLOWERS)
            ]
            actors = [
                asyncio.create_task(self._act(self._visitors[n % PEOPLE], over))
                for n in range(ACTORS)
            ]
            await asyncio.sleep(seconds)
            over.set()
            await asyncio.gather(*actors)
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def read_audit_log(self) -> None:
        """Read the whole audit log by four at once, so that the database's caches fill."""
        async with self._admin as admin:
            await asyncio.gather(*(self._read_audit_log(admin) for _ in range(4)))

    async def _read_audit_log(self, admin: Visitor) -> None:
        request = ListAuditRecordsRequest(page_size=AUDIT_PAGE)
        while True:
            page = await admin.call(admin.audits.ListAuditRecords, request)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _act(self, visitor: Visitor, over: asyncio.Event) -> None:
        while not over.is_set():
            (act,) = random.choices(list(ACTS), list(ACTS.values()))  # noqa: S311 - any will do
            try:
                await act(visitor)
            except Exception as error:
                self._note(f"{act.__name__}: {_words(error)}")

    async def _follow(self, visitor: Visitor) -> None:
        while True:
            call: Any = visitor.changes.Watch(WatchRequest(), metadata=visitor.metadata)
            try:
                async for message in call:
                    self.changes += message.WhichOneof("event") == "change"
                self._note("a watch ended")
            except grpc.aio.AioRpcError as error:
                self._note(f"watch: {_words(error)}")
            finally:
                call.cancel()

    def _note(self, said: str) -> None:
        if said in self.unexpected or len(self.unexpected) < MOST_TOLD:
            self.unexpected[said] += 1


def _words(error: Exception) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"[:200]
    return f"{type(error).__name__}: {error}"[:200]
