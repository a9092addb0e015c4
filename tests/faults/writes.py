"""Callers who write to a server that fails, and the ledger of what each of them was told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    UpdateWorkflowRequest,
)
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.e2e.processes import WAIT_SECONDS, Server
from tests.server.world import read_refusal

CALLERS: Final = 16
UNKNOWN: Final = "STORE_UNAVAILABLE"
"""The one refusal after which a write may have happened."""
NOT_NOW: Final = frozenset({"OVERLOADED", "SHUTTING_DOWN"})
"""Refusals of a write that has nothing wrong with it, before it is tried."""
LEAK: Final = re.compile(r"sqlite|psycopg|libpq|disk|i/o|errno|traceback|line \d|/", re.IGNORECASE)
"""What a caller has no business to know of a database that fails: causes, programs, paths."""
PAUSE_SECONDS: Final = 0.02
"""Before a caller asks again; the server asks for a second, and these are impatient."""


class Write(NamedTuple):
    """A write as it is asked for; asked again with the same bytes, it is done once."""

    method: str
    """`CreateWorkflow` and the like."""
    request: Any
    doomed: bool = False
    """Whether it breaks a rule, so that it must be refused."""

    @property
    def id(self) -> str:
        """The `request_id`."""
        return str(self.request.request_id)


class Told(NamedTuple):
    """What an acknowledgement said."""

    method: str
    workflow_id: str
    revision: int
    decision_id: str


@dataclass
class WriteLedger:
    """What became of each write, by its request id, as far as its caller was told."""

    acknowledged: dict[str, Told] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Refused for certain: the reason."""
    unknown: dict[str, Write] = field(default_factory=dict)
    """Asked for and not told, or told that it is not known."""
    times_unknown: int = 0
    """How often somebody was not told, or that it is not known."""
    once_unknown: set[str] = field(default_factory=set)
    """Writes of which somebody was not told at first."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no caller should ever get, in sentences."""

    def acknowledge(self, write: Write, answer: Any, trailing: Any) -> Told:
        """Note an acknowledgement, which must be the same each time."""
        said = dict(trailing)
        told = Told(
            write.method,
            getattr(answer, "id", "") or write.request.id,
            int(said["x-symphony-revision"]),
            said["x-symphony-decision-id"],
        )
        if write.doomed:
            self.wrong.append(f"{write.id} breaks a rule and was acknowledged")
        if self.acknowledged.setdefault(write.id, told) != told:
            self.wrong.append(f"{write.id} was answered again in another way")
        self.unknown.pop(write.id, None)
        return told

    def refuse(self, write: Write, error: grpc.RpcError, *, cut: bool) -> None:
        """Note a call that ended in an error. `cut` says that the server may be gone."""
        refusal = read_refusal(error)
        if refusal.reason == UNKNOWN and (found := LEAK.search(refusal.message)):
            self.wrong.append(f"{write.id} was told of {found[0]!r}: {refusal.message}")
        # What gRPC itself ends as CANCELLED, the server has not taken in
        # (docs/decisions/0016-workers-share-a-port-and-the-buckets.md).
        by_grpc = not refusal.reason and (cut or refusal.code is grpc.StatusCode.CANCELLED)
        if refusal.reason == UNKNOWN or by_grpc:
            self.times_unknown += 1
            self.once_unknown.add(write.id)
        elif write.doomed or refusal.reason in NOT_NOW:
            self.failed[write.id] = refusal.reason
            self.unknown.pop(write.id, None)
        else:
            # Whatever it is by now, asking again would not tell.
            self.unknown.pop(write.id, None)
            self.wrong.append(f"{write.id}: {refusal.code.name} {refusal.reason} {refusal.message}")


class Writers:
    """Callers of one server after the other, all of them on the same database."""

    def __init__(self, server: Server) -> None:
        """Make them a project of their own."""
        self.server = server
        self.ledger = WriteLedger()
        self.over = asyncio.Event()
        """Set when the writers are to stop, by which time the server may be gone."""
        self.acknowledged = asyncio.Event()
        """Set by the next acknowledgement after it was cleared."""
        self.metadata = (("authorization", f"Bearer {server.token}"),)
        self._numbers = count()
        with grpc.insecure_channel(server.target) as channel:
            self.project_id = (
                ProjectServiceStub(channel)
                .CreateProject(
                    CreateProjectRequest(name="Load"),
                    metadata=self.metadata,
                    timeout=WAIT_SECONDS,
                )
                .id
            )

    async def write(self, *, only_again: bool = False) -> None:
        """Ask again for what is unknown, and then for new writes until it is over."""
        again = iter([*self.ledger.unknown.values()])
        async with grpc.aio.insecure_channel(self.server.target) as channel:
            stub = WorkflowServiceStub(channel)
            callers = (self._caller(stub, again, only_again=only_again) for _ in range(CALLERS))
            await asyncio.gather(*callers)

    async def _caller(self, stub: Any, again: Iterator[Write], *, only_again: bool) -> None:
        for write in again:
            await self._until_told(stub, write)
        while not (only_again or self.over.is_set()):
            number = next(self._numbers)
            if number % 16 == 0:
                await self._until_told(stub, self.create(number, doomed=True))
            made = await self._until_told(stub, self.create(number))
            if made is not None and number % 4 == 0:
                await self._until_told(stub, _update(made.workflow_id, number))
            if made is not None and number % 8 == 0:
                await self._until_told(stub, _delete(made.workflow_id, number))

    async def _until_told(self, stub: Any, write: Write) -> Told | None:
        """What an acknowledgement said; None when it is refused, or over before it is told."""
        while not self.over.is_set():
            if told := await self.ask(stub, write):
                return told
            if write.id not in self.ledger.unknown or self.over.is_set():
                break
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def ask(self, stub: Any, write: Write) -> Told | None:
        """Ask once, and note what is told."""
        self.ledger.unknown[write.id] = write
        call = getattr(stub, write.method)(
            write.request, metadata=self.metadata, timeout=WAIT_SECONDS
        )
        try:
            answer = await call
            trailing = await call.trailing_metadata()
        except grpc.aio.AioRpcError as error:
            self.ledger.refuse(write, error, cut=self.over.is_set())
            return None
        told = self.ledger.acknowledge(write, answer, trailing)
        self.acknowledged.set()
        return told

    def ask_now(self, channel: grpc.Channel, write: Write) -> Told | None:
        """Ask once and wait, and note what is told."""
        self.ledger.unknown[write.id] = write
        try:
            answer, call = getattr(WorkflowServiceStub(channel), write.method).with_call(
                write.request, metadata=self.metadata, timeout=WAIT_SECONDS
            )
        except grpc.RpcError as error:
            self.ledger.refuse(write, error, cut=self.over.is_set())
            return None
        return self.ledger.acknowledge(write, answer, call.trailing_metadata())

    def next_create(self) -> Write:
        """A workflow that was never asked for."""
        return self.create(next(self._numbers))

    def create(self, number: int, *, doomed: bool = False) -> Write:
        """A new workflow; a doomed one's steps wait for each other."""
        name = f"doomed{number}" if doomed else f"w{number}"
        spec = WorkflowSpec(
            name=name,
            steps=[
                WorkflowStep(name="build", command="make", depends_on=["test"] if doomed else []),
                WorkflowStep(name="test", command="make test", depends_on=["build"]),
            ],
        )
        request = CreateWorkflowRequest(
            project_id=self.project_id, spec=spec, request_id=f"create-{name}"
        )
        return Write("CreateWorkflow", request, doomed)


def _update(workflow_id: str, number: int) -> Write:
    request = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow_id, shared=True),
        update_mask=FieldMask(paths=["shared"]),
        request_id=f"update-{number}",
    )
    return Write("UpdateWorkflow", request)


def _delete(workflow_id: str, number: int) -> Write:
    return Write(
        "DeleteWorkflow", DeleteWorkflowRequest(id=workflow_id, request_id=f"delete-{number}")
    )
