"""Calls whose connection breaks at a byte boundary, each with a client and a proxy of its own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.errors import DataError, to_data_error
from tests.e2e.ledger import Ledger
from tests.e2e.processes import Server
from tests.faults.faulty_proxy import Fault, FaultyProxy, Way
from tests.faults.our_client import KEEPALIVE_MS, TOLD, client_channel
from tests.server.scraping import Scrape, eventually

AT_ONCE: Final = 24
"""How many boundaries are tried at the same time."""
PATIENT_SECONDS: Final = 20.0
"""A deadline that keepalive comes long before."""
HURRIED_SECONDS: Final = 0.5
"""A deadline that comes long before keepalive (20 s)."""
LATE_SECONDS: Final = 5.0
"""How much later than its deadline a call may end: this machine may be busy."""
DROPPED_SECONDS: Final = 150.0
"""The server's own keepalive takes 60 s and its patience to notice a client that fell silent."""


@dataclass(frozen=True)
class Kind:
    """A fault, and what ends the call that meets it."""

    name: str
    fault: Fault
    timeout_seconds: float
    keepalive_ms: int | None


KINDS: Final = (
    Kind("cut", Fault.CUT, PATIENT_SECONDS, None),
    Kind("half-open, noticed by keepalive", Fault.HALF_OPEN, PATIENT_SECONDS, KEEPALIVE_MS),
    Kind("half-open, ended by the deadline", Fault.HALF_OPEN, HURRIED_SECONDS, None),
)

AS_IT_IS: Final = Kind(
    "half-open, noticed by the client's keepalive as it is", Fault.HALF_OPEN, 30.0, None
)
"""Which takes 25 s; so it is tried at few boundaries only."""
AS_IT_IS_BOUNDARIES: Final = {Way.UP: (200, 400), Way.DOWN: (60,)}


@dataclass
class Tried:
    """What became of the calls that met one kind of fault in one direction."""

    boundaries: int = 0
    fired: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """`answered`, or the error's class → how many calls ended so."""
    longest_seconds: float = 0.0


@dataclass
class Outcome:
    """What was seen, to be judged."""

    tried: dict[tuple[str, Way], Tried] = field(default_factory=dict)
    others: int = 0
    """Calls of somebody else meanwhile."""
    others_longest_seconds: float = 0.0
    dropped: int = 0
    """Half-open connections that the server ended by itself."""
    dropped_seconds: float = 0.0
    """How long after the last call that took."""
    wrong: list[str] = field(default_factory=list)


class Trial:
    """A server, the one who asks, and what was seen."""

    def __init__(self, server: Server, project_id: str, token: str) -> None:
        self._server = server
        self._token = token
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._held: list[FaultyProxy] = []
        self.ledger = Ledger(project_id)
        self.outcome = Outcome()

    async def run(self, every: int, *, patient: bool) -> None:
        """Try each boundary, or one of so many; see `main` for what patience adds."""
        over = asyncio.Event()
        other = asyncio.create_task(self._call_meanwhile(over))
        try:
            lengths = await self._lengths()
            # Half-open connections stay so until the end: the server must do without their end.
            async with AsyncExitStack() as held:
                async with asyncio.TaskGroup() as group:
                    for kind, way, boundary in boundaries(lengths, every):
                        group.create_task(self._try(kind, way, boundary, held))
                    if patient:
                        for way, few in AS_IT_IS_BOUNDARIES.items():
                            for boundary in few:
                                group.create_task(self._try(AS_IT_IS, way, boundary, held))
                await self._nothing_under_way()
                if patient:
                    await self._all_dropped()
        finally:
            over.set()
            await other

    async def _lengths(self) -> dict[Way, int]:
        """How many bytes a call takes each way, from its connection to its answer."""
        taken = []
        for number in range(3):
            async with FaultyProxy(self._server.target) as proxy:
                name = f"clean-{number}"
                made = await self._create(proxy.target, name, PATIENT_SECONDS, None)
                taken.append(dict(proxy.forwarded))
            if isinstance(made, DataError):
                raise made
            self.ledger.acknowledged[name] = made
        return {way: min(each[way] for each in taken) for way in Way}

    async def _try(self, kind: Kind, way: Way, boundary: int, held: AsyncExitStack) -> None:
        proxy = FaultyProxy(self._server.target, kind.fault, way, boundary)
        if kind is AS_IT_IS:
            await held.enter_async_context(proxy)
            await self._try_behind(proxy, kind, way, boundary)
            return
        async with self._slots:
            if kind.fault is Fault.HALF_OPEN:
                self._held.append(await held.enter_async_context(proxy))
                await self._try_behind(proxy, kind, way, boundary)
            else:
                async with proxy:
                    await self._try_behind(proxy, kind, way, boundary)

    async def _try_behind(self, proxy: FaultyProxy, kind: Kind, way: Way, boundary: int) -> None:
        tried = self.outcome.tried.setdefault((kind.name, way), Tried())
        name = f"{kind.name.replace(' ', '-')}-{way.name}-{boundary}"
        began = time.monotonic()
        made = await self._create(proxy.target, name, kind.timeout_seconds, kind.keepalive_ms)
        seconds = time.monotonic() - began
        tried.boundaries += 1
        tried.fired += proxy.fired
        tried.longest_seconds = max(tried.longest_seconds, seconds)
        if seconds > kind.timeout_seconds + LATE_SECONDS:
            self.outcome.wrong.append(f"{name}: ended after {seconds:.1f} s")
        if isinstance(made, DataError):
            tried.told[type(made).__name__] += 1
            if not isinstance(made, TOLD):
                self.outcome.wrong.append(f"{name}: {type(made).__name__}: {made}")
        else:
            tried.told["answered"] += 1
            self.ledger.acknowledged[name] = made
        # Whoever was told of an error asks again, and whoever was answered may.
        again = await self._create(self._server.target, name, PATIENT_SECONDS, None)
        if isinstance(again, DataError):
            self.outcome.wrong.append(f"{name}: asked again: {type(again).__name__}: {again}")
            self.ledger.unknown.add(name)
        elif self.ledger.acknowledged.setdefault(name, again) != again:
            self.outcome.wrong.append(f"{name}: another answer to the same request")

    async def _create(
        self, target: str, name: str, timeout_seconds: float, keepalive_ms: int | None
    ) -> Workflow | DataError:
        async with client_channel(
            target, self._token, timeout_seconds=timeout_seconds, keepalive_ms=keepalive_ms
        ) as channel:
            create: Any = WorkflowServiceStub(channel).CreateWorkflow
            try:
                made: Workflow = await create(self.ledger.request(name))
            except grpc.RpcError as error:
                return to_data_error(error)
            return made

    async def _call_meanwhile(self, over: asyncio.Event) -> None:
        """Somebody with nothing to do with it all, served all the time."""
        while not over.is_set():
            name = f"other-{self.outcome.others}"
            began = time.monotonic()
            made = await self._create(self._server.target, name, PATIENT_SECONDS, None)
            seconds = time.monotonic() - began
            if isinstance(made, DataError):
                self.ledger.unknown.add(name)
                self.outcome.wrong.append(f"{name}: {type(made).__name__}: {made}")
            else:
                self.ledger.acknowledged[name] = made
            self.outcome.others += 1
            self.outcome.others_longest_seconds = max(self.outcome.others_longest_seconds, seconds)
            await asyncio.sleep(0.02)

    async def _nothing_under_way(self) -> None:
        """Return once the server has nothing to do with those who fell silent."""
        try:
            await asyncio.to_thread(eventually, self._server.metrics_address, _idle)
        except AssertionError:
            self.outcome.wrong.append("calls are still under way of those who fell silent")

    async def _all_dropped(self) -> None:
        """Return once the server has ended the connections that are half-open, by itself."""
        began = time.monotonic()
        waiting = [proxy.dropped.wait() for proxy in self._held if proxy.fired]
        try:
            async with asyncio.timeout(DROPPED_SECONDS):
                await asyncio.gather(*waiting)
        except TimeoutError:
            left = sum(not proxy.dropped.is_set() for proxy in self._held if proxy.fired)
            self.outcome.wrong.append(f"the server keeps {left} connections that fell silent")
        else:
            self.outcome.dropped = len(waiting)
            self.outcome.dropped_seconds = time.monotonic() - began


def boundaries(lengths: dict[Way, int], every: int) -> Iterator[tuple[Kind, Way, int]]:
    """Each boundary, both ways, with each kind of fault: before the first byte, after it, and so
    on until before the last.
    """
    for kind in KINDS:
        for way in Way:
            for boundary in range(0, lengths[way], every):
                yield kind, way, boundary


def _idle(scrape: Scrape) -> bool:
    # Somebody else may be served at this very moment.
    return scrape.value("symphony_calls_in_flight") <= 1
