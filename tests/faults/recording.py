"""Callers with different rights on the same few resources, and watchers, whose doings are recorded.

They are an OWNER of a project, a COLLABORATOR and a VIEWER of it whose memberships come and go, a
stranger and an ADMIN. What they ask is in `random_requests.py`; now and then they give a call up.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import grpc

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.transaction_service_pb2_grpc import TransactionServiceStub
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.faults.history import UNKNOWN, Call, History, Moments, Person, Told, Watched
from tests.faults.random_requests import RandomRequests
from tests.server.world import read_refusal

ACTORS_EACH: Final = 3
"""How many calls a person has under way at once."""
TIMEOUT_SECONDS: Final = 20.0
GIVEN_UP_SECONDS: Final = 0.004
GIVEN_UP: Final = 0.03
"""The part of the calls that are given up so soon that they may be done or not."""
KINDS: Final = (
    ResourceKind.RESOURCE_KIND_WORKFLOW,
    ResourceKind.RESOURCE_KIND_PROJECT_MEMBER,
)


class Recorder:
    """Makes the calls, and writes down what happens."""

    def __init__(self, targets: Sequence[str], secrets: dict[Person, str], project_id: str) -> None:
        """Take one server or several of the same store, and people with their credentials; the
        first is the project's OWNER, and the last an ADMIN.
        """
        self._targets = targets
        self._secrets = secrets
        self._moments = Moments()
        self._requests = RandomRequests(list(secrets), project_id)
        self._over = asyncio.Event()
        self.calls: list[Call] = []
        self.ended: Counter[str] = Counter()
        """How many calls ended how."""

    async def record(self, seconds: float, start: dict[str, Any], revision: int) -> History:
        """Let everybody call for so long; `start` is what there is, at the store's revision."""
        people = list(self._secrets)
        watches = [Watched(person) for person in people]
        ends: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            # Who comes late is not told what it may no longer see; so all are there from the start.
            begun = asyncio.Barrier(len(watches) + 1)
            for watched in watches:
                group.create_task(self._watch(watched, revision, begun, ends))
            await begun.wait()
            async with asyncio.TaskGroup() as calling:
                for number, person in enumerate(people * ACTORS_EACH):
                    target = self._targets[number % len(self._targets)]
                    calling.create_task(self._act(person, target, number))
                await asyncio.sleep(seconds)
                self._over.set()
            ends.set_result(await self._last_revision())
        return History(revision, start, ends.result(), self.calls, watches)

    def _metadata(self, person: Person) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._secrets[person]}"),)

    async def _act(self, person: Person, target: str, number: int) -> None:
        own = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(target, own) as channel:
            caller = _Caller(channel)
            dice = random.Random(f"{person.name}{number}")  # noqa: S311 - any will do
            while not self._over.is_set():
                request = self._requests.next(person, dice)
                if hasattr(request, "request_id"):
                    request.request_id = f"r{self._moments.now()}"
                await self._call(caller, person, request, given_up=dice.random() < GIVEN_UP)

    async def _call(self, caller: _Caller, person: Person, request: Any, *, given_up: bool) -> None:
        call = Call(person, request, self._moments.now())
        timeout = GIVEN_UP_SECONDS if given_up else TIMEOUT_SECONDS
        under_way = caller.method(request)(
            request, metadata=self._metadata(person), timeout=timeout
        )
        try:
            call.response = await under_way
        except grpc.aio.AioRpcError as error:
            unanswered = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            call.reason = UNKNOWN if unanswered else read_refusal(error).reason
        else:
            trailing = {item[0]: item[1] for item in await under_way.trailing_metadata() or ()}
            if not call.is_read:
                call.revision = int(trailing["x-symphony-revision"])
            self._requests.learn(call.response)
        call.responded = self._moments.now()
        self.ended[call.reason or "allowed"] += 1
        # A server may say at once that a call would not be answered in its little time. That says
        # nothing of the state; and should it be done all the same, its revision is nobody's.
        if not (given_up and call.reason == "OVERLOADED"):
            self.calls.append(call)

    async def _watch(
        self,
        watched: Watched,
        revision: int,
        begun: asyncio.Barrier,
        ends: asyncio.Future[int],
    ) -> None:
        """Write down what a watcher is told until everything up to the end was."""
        async with grpc.aio.insecure_channel(self._targets[-1]) as channel:
            call: Any = ChangeServiceStub(channel).Watch(
                WatchRequest(kinds=KINDS), metadata=self._metadata(watched.person)
            )
            assert (await call.read()).checkpoint.revision == revision
            await begun.wait()
            while message := await call.read():
                if message.WhichOneof("event") == "checkpoint":
                    if ends.done() and message.checkpoint.revision >= ends.result():
                        break
                    continue
                change = message.change
                kind = change.WhichOneof("resource")
                watched.changes.append(
                    Told(
                        change.revision,
                        ChangeOperation.Name(change.operation).removeprefix("CHANGE_OPERATION_"),
                        change.resource_id,
                        None if kind is None else getattr(change, kind),
                        change.request_id,
                    )
                )
            call.cancel()

    async def _last_revision(self) -> int:
        """The store's revision, once what was given up is done or never will be."""
        async with grpc.aio.insecure_channel(self._targets[0]) as channel:
            *_, admin = self._secrets
            call: Any = ChangeServiceStub(channel).Watch(
                WatchRequest(), metadata=self._metadata(admin)
            )
            message = await call.read()
            call.cancel()
            return int(message.checkpoint.revision)


class _Caller:
    """The methods of a channel, by the request that they take."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        workflows: Any = WorkflowServiceStub(channel)
        projects: Any = ProjectServiceStub(channel)
        transactions: Any = TransactionServiceStub(channel)
        self._methods: dict[type[Any], Any] = {
            GetWorkflowRequest: workflows.GetWorkflow,
            ListWorkflowsRequest: workflows.ListWorkflows,
            CreateWorkflowRequest: workflows.CreateWorkflow,
            UpdateWorkflowRequest: workflows.UpdateWorkflow,
            DeleteWorkflowRequest: workflows.DeleteWorkflow,
            ExecuteTransactionRequest: transactions.ExecuteTransaction,
            AddProjectMemberRequest: projects.AddProjectMember,
            UpdateProjectMemberRequest: projects.UpdateProjectMember,
            RemoveProjectMemberRequest: projects.RemoveProjectMember,
        }

    def method(self, request: Any) -> Any:
        return self._methods[type(request)]
