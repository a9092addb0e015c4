"""Callers who make workflows, whatever happens to the server, and what they were told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.errors import DataError, to_data_error
from tests.e2e.ledger import Ledger
from tests.e2e.processes import Server
from tests.e2e.test_durability import new_project
from tests.faults.our_client import TOLD, client_channel

CALLERS: Final = 8
TIMEOUT_SECONDS: Final = 1.5
"""The deadline of each call."""
LATE_SECONDS: Final = 3.0
"""How much later it may end, on a busy machine."""


@dataclass
class Outcome:
    """What was seen, to be judged."""

    stops: Counter[str] = field(default_factory=Counter)
    """What was stopped → how often."""
    told: Counter[str] = field(default_factory=Counter)
    """The errors that calls ended in."""
    longest_seconds: float = 0.0
    """How long a call took at most."""
    noticed_seconds: list[float] = field(default_factory=list)
    """How soon keepalive ended a call to a server that stood still."""
    unwell_seconds: list[float] = field(default_factory=list)
    """How soon health told that the store did not answer."""
    back_seconds: list[float] = field(default_factory=list)
    """How soon each caller had been answered once all went on."""
    acknowledged: int = 0
    wrong: list[str] = field(default_factory=list)
    """In sentences."""


class Callers:
    """So many callers, for as long as an `async with` lasts. Each makes one workflow after the
    other, and asks again, with the same request id, until it is answered.
    """

    def __init__(self, server: Server, outcome: Outcome) -> None:
        self._server = server
        self._outcome = outcome
        self._over = asyncio.Event()
        self._ended = [0] * CALLERS
        self._answered = [0] * CALLERS
        self._changed = asyncio.Condition()
        self.ledger = Ledger(new_project(server))

    async def __aenter__(self) -> Callers:
        self._tasks = [asyncio.create_task(self._call(number)) for number in range(CALLERS)]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def all_answered(self) -> None:
        """Return when each caller has been answered from now on."""
        await self._grown(self._answered, 1)

    async def all_ended(self) -> None:
        """Return when, of each caller, a call has ended that it began from now on."""
        await self._grown(self._ended, 2)

    async def _grown(self, counts: list[int], by: int) -> None:
        before = list(counts)
        async with self._changed:
            await self._changed.wait_for(
                lambda: all(now >= then + by for now, then in zip(counts, before, strict=True))
            )

    async def _call(self, caller: int) -> None:
        async with client_channel(
            self._server.target, self._server.token, timeout_seconds=TIMEOUT_SECONDS
        ) as channel:
            create: Any = WorkflowServiceStub(channel).CreateWorkflow
            number, answered = 0, True
            while not (answered and self._over.is_set()):
                number += answered
                answered = await self._ask(create, f"{CALLERS}-{caller}-{number}")
                self._answered[caller] += answered
                self._ended[caller] += 1
                async with self._changed:
                    self._changed.notify_all()

    async def _ask(self, create: Any, name: str) -> bool:
        """Ask for a workflow; True when it was answered."""
        self.ledger.unknown.add(name)
        began = time.monotonic()
        try:
            self.ledger.acknowledged[name] = await create(self.ledger.request(name))
        except grpc.RpcError as raised:
            self._note(name, to_data_error(raised))
            answered = False
        else:
            self.ledger.unknown.discard(name)
            answered = True
        seconds = time.monotonic() - began
        self._outcome.longest_seconds = max(self._outcome.longest_seconds, seconds)
        if seconds > TIMEOUT_SECONDS + LATE_SECONDS:
            self._outcome.wrong.append(f"{name} ended after {seconds:.1f} s")
        return answered

    def _note(self, name: str, error: DataError) -> None:
        said = type(error).__name__
        self._outcome.told[said] += 1
        if not isinstance(error, TOLD):
            self._outcome.wrong.append(f"{name}: {said}: {error}")
