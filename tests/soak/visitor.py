"""Somebody who calls a server, no faster than all visitors together may."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from typing import Any, Final

import grpc

from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony.v1.audit_service_pb2_grpc import AuditServiceStub
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.execution_service_pb2_grpc import ExecutionServiceStub
from symphony.v1.extension_service_pb2_grpc import ExtensionServiceStub
from symphony.v1.project_pb2 import Project
from symphony.v1.transaction_service_pb2_grpc import TransactionServiceStub
from symphony.v1.user_service_pb2_grpc import UserServiceStub
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub

TIMEOUT_SECONDS: Final = 20.0
STEPS: Final = 10
OWN_CONNECTION: Final = (("grpc.use_local_subchannel_pool", 1),)

Metadata = tuple[tuple[str, str], ...]


class Unexpected(Exception):
    """A call was answered otherwise than it should be."""


class Pace:
    """Hands out turns, so many a second; what was late is not made up for."""

    def __init__(self, turns_per_second: float) -> None:
        self._every = 1 / turns_per_second
        self._next = 0.0
        self.turns = 0
        """How many were handed out."""

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        self.turns += 1
        self._next = max(self._next + self._every, time.monotonic())
        await asyncio.sleep(self._next - time.monotonic())


class Visitor:
    """A caller with a credential, and what it has on the server."""

    def __init__(
        self, target: str, secret: str, pace: Pace, project: Project, workflows: list[Workflow]
    ) -> None:
        self.target = target
        self.secret = secret
        self.project = project
        self.standing = workflows
        """Workflows of its project that stay."""
        self.pace = pace
        self.told: Counter[str] = Counter()
        """Status code → how many calls ended so."""
        self._names = itertools.count()
        self._marker = f"{random.getrandbits(40):x}"

    async def __aenter__(self) -> Visitor:
        self.channel = grpc.aio.insecure_channel(self.target, OWN_CONNECTION)
        self.access: Any = AccessServiceStub(self.channel)
        self.audits: Any = AuditServiceStub(self.channel)
        self.changes: Any = ChangeServiceStub(self.channel)
        self.executions: Any = ExecutionServiceStub(self.channel)
        self.extensions: Any = ExtensionServiceStub(self.channel)
        self.transactions: Any = TransactionServiceStub(self.channel)
        self.users: Any = UserServiceStub(self.channel)
        self.workflows: Any = WorkflowServiceStub(self.channel)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.channel.close()

    @property
    def metadata(self) -> Metadata:
        return (("authorization", f"Bearer {self.secret}"),)

    def name(self) -> str:
        """A name that nothing has had yet."""
        return f"{self._marker} {next(self._names)}"

    async def call(self, method: Any, request: Any, metadata: Metadata | None = None) -> Any:
        """The answer of a call that is allowed."""
        await self.pace.turn()
        answer = await method(
            request,
            metadata=self.metadata if metadata is None else metadata,
            timeout=TIMEOUT_SECONDS,
        )
        self.told["OK"] += 1
        return answer

    async def refused(
        self,
        code: grpc.StatusCode,
        method: Any,
        request: Any,
        metadata: Metadata | None = None,
    ) -> None:
        """Make a call that is refused with a code. Raises Unexpected."""
        try:
            await self.call(method, request, metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is not code:
                raise
            self.told[code.name] += 1
            return
        raise Unexpected(f"a call was allowed that should end in {code.name}")

    def new_workflow(self, **fields: Any) -> CreateWorkflowRequest:
        """A request for a workflow of ten steps in its project."""
        steps = [
            WorkflowStep(name=f"step {n}", command=f"make part-{n}", depends_on=[f"step {n - 1}"])
            for n in range(STEPS)
        ]
        del steps[0].depends_on[:]
        spec = WorkflowSpec(name=self.name(), steps=steps)
        return CreateWorkflowRequest(project_id=self.project.id, spec=spec, **fields)
