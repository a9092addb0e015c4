"""What callers were told, to be held against what the database holds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grpc

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.e2e.processes import WAIT_SECONDS, Server

if TYPE_CHECKING:  # there is no such class at run time
    from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub

CALLERS: Final = 16
_CREATE: Final = "symphony.v1.WorkflowService/CreateWorkflow"


class Ledger:
    """Workflows that were asked for, by name: acknowledged, or with an outcome not known.

    A workflow's name is also the `request_id` that it is asked for with.
    """

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id
        self.acknowledged: dict[str, Workflow] = {}
        self.unknown: set[str] = set()
        self.first_answer = asyncio.Event()
        """Set by the first acknowledgement after it was cleared."""

    async def create(self, server: Server, names: Iterable[str]) -> None:
        """Ask for workflows from 16 concurrent callers until done or the server is gone."""
        left = iter(names)
        async with grpc.aio.insecure_channel(server.target) as channel:
            stub: WorkflowServiceAsyncStub = WorkflowServiceStub(channel)
            await asyncio.gather(*(self._caller(server, stub, left) for _ in range(CALLERS)))

    async def _caller(
        self, server: Server, stub: WorkflowServiceAsyncStub, names: Iterable[str]
    ) -> None:
        metadata = (("authorization", f"Bearer {server.token}"),)
        for name in names:
            self.unknown.add(name)
            try:
                made = await stub.CreateWorkflow(
                    self.request(name), metadata=metadata, timeout=WAIT_SECONDS
                )
            except grpc.aio.AioRpcError as error:
                # However gRPC calls a connection that a kill has cut, the outcome is unknown;
                # a server that lives may only say that it cannot be reached.
                killed = server.process.poll() not in (None, 0)
                if not killed and error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                return
            if name in self.acknowledged:
                assert made == self.acknowledged[name], "another answer to the same request"
            self.acknowledged[name] = made
            self.unknown.discard(name)
            self.first_answer.set()

    def request(self, name: str) -> CreateWorkflowRequest:
        return CreateWorkflowRequest(
            project_id=self._project_id,
            spec=WorkflowSpec(
                name=name,
                steps=[
                    WorkflowStep(name="fetch", command="git pull"),
                    WorkflowStep(name="build", command="make", depends_on=["fetch"]),
                    WorkflowStep(name="test", command="make test", depends_on=["build"]),
                ],
            ),
            request_id=name,
        )

    def check(self, server: Server) -> None:
        """Hold the ledger against the database of a server that is down.

        Everything acknowledged is there once, nothing is there that was not asked for, and
        each workflow has one record of one decision, in a log without gaps.
        """
        kept = read_database(server, self._project_id)
        assert len(kept.names) == len(kept.ids)
        for name, made in self.acknowledged.items():
            assert kept.names[name] == made.id
        assert set(kept.names) - set(self.acknowledged) <= self.unknown
        assert kept.created == Counter(kept.ids)


@dataclass
class Kept:
    """What a database holds of a project."""

    ids: list[str]
    names: dict[str, str]
    """Name → id."""
    created: Counter[str]
    """Workflow id → records that its creation was allowed."""


def read_database(server: Server, project_id: str) -> Kept:
    """Read the file itself, whose records must be whole and in a sequence without gaps."""
    connection = sqlite3.connect(server.directory / "symphony.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(
            "SELECT id, spec FROM workflows WHERE project_id = ?", (project_id,)
        ).fetchall()
        entries = connection.execute(
            "SELECT sequence, record FROM audit_log ORDER BY sequence"
        ).fetchall()
    finally:
        connection.close()
    records = [AuditRecord.FromString(record) for _, record in entries]
    assert [sequence for sequence, _ in entries] == list(range(1, len(entries) + 1))
    assert [record.sequence for record in records] == [sequence for sequence, _ in entries]
    return Kept(
        ids=[workflow_id for workflow_id, _ in rows],
        names={WorkflowSpec.FromString(spec).name: workflow_id for workflow_id, spec in rows},
        created=Counter(
            record.resource_id
            for record in records
            if record.method == _CREATE and record.outcome == AuditOutcome.AUDIT_OUTCOME_ALLOWED
        ),
    )
