"""Somebody who watches what health tells of the store, and asks what needs no store."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.server_info_service_pb2_grpc import ServerInfoServiceStub
from tests.e2e.processes import Server
from tests.faults.patient_callers import Outcome

ASKED_SECONDS: Final = 30.0
"""A deadline that no answer comes near."""
UNWELL_SECONDS: Final = 15.0
"""How soon health must tell of a store that does not answer: it is asked every 5 s, and has 2 s to
answer."""
PROMPT_SECONDS: Final = 2.0
"""How long what needs no store may take meanwhile, on a busy machine."""
STORE: Final = "symphony.store"
SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


class HealthWatcher:
    """Somebody who watches the server's health, and asks what needs no store."""

    def __init__(self, server: Server, outcome: Outcome) -> None:
        self._target = server.target
        self._outcome = outcome

    async def __aenter__(self) -> HealthWatcher:
        self._channel = grpc.aio.insecure_channel(self._target)
        stub: Any = HealthStub(self._channel)
        self._health = stub
        self._info: Any = ServerInfoServiceStub(self._channel)
        self._told = self._health.Watch(health_pb2.HealthCheckRequest(service=STORE))
        assert (await self._told.read()).status == SERVING
        return self

    async def __aexit__(self, *error: object) -> None:
        self._told.cancel()
        await self._channel.close()

    async def tells(self, status: int) -> None:
        """Return once health tells this of the store; the server serves on meanwhile."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(UNWELL_SECONDS):
                while (await self._told.read()).status != status:
                    pass
        except TimeoutError:
            self._outcome.wrong.append(f"health never told of the store as {status}")
            return
        if status == NOT_SERVING:
            self._outcome.unwell_seconds.append(time.monotonic() - began)
        await self.serves_on()

    async def serves_on(self) -> None:
        """Ask what needs no store: it is answered at once."""
        began = time.monotonic()
        told = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=ASKED_SECONDS)
        await self._info.GetServerInfo(GetServerInfoRequest(), timeout=ASKED_SECONDS)
        seconds = time.monotonic() - began
        if told.status != SERVING or seconds > PROMPT_SECONDS:
            self._outcome.wrong.append(f"what needs no store: {told.status} in {seconds:.1f} s")
