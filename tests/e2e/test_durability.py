"""What is acknowledged is kept, once, with one record, whatever happens to the server."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.e2e.processes import Server

CREATE = "symphony.v1.WorkflowService/CreateWorkflow"
CALLERS = 16


def request(project_id: str, name: str) -> CreateWorkflowRequest:
    steps = [
        WorkflowStep(name=f"step{n}", command="true", depends_on=[f"step{n - 1}"] if n else [])
        for n in range(3)
    ]
    return CreateWorkflowRequest(
        project_id=project_id, spec=WorkflowSpec(name=name, steps=steps), request_id=name
    )


def new_project(server: Server) -> str:
    with grpc.insecure_channel(server.target) as channel:
        made = ProjectServiceStub(channel).CreateProject(
            CreateProjectRequest(name="Load"), metadata=bearer(server), timeout=20
        )
    return made.id


def bearer(server: Server) -> Any:
    return (("authorization", f"Bearer {server.token}"),)


class Ledger:
    """What each create was answered: its workflow, or nothing known."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Workflow] = {}
        self.unknown: set[str] = set()
        self._grown = asyncio.Condition()

    async def reaches(self, count: int) -> None:
        """Wait until so many are acknowledged."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.acknowledged) >= count)

    async def create(self, server: Server, project_id: str, names: list[str]) -> None:
        """Create workflows from 16 concurrent callers until done or the server is gone."""
        left = iter(names)
        async with grpc.aio.insecure_channel(server.target) as channel:
            stub = WorkflowServiceStub(channel)

            async def caller() -> None:
                for name in left:
                    self.unknown.add(name)
                    try:
                        made = await stub.CreateWorkflow(
                            request(project_id, name), metadata=bearer(server), timeout=30
                        )
                    except grpc.aio.AioRpcError as error:
                        # Whatever a cut connection is called, nothing is known of the write;
                        # a server that lives may only say that it cannot be reached.
                        alive = server.process.poll() is None
                        if alive and error.code() != grpc.StatusCode.UNAVAILABLE:
                            raise
                        return
                    self.unknown.discard(name)
                    async with self._grown:
                        self.acknowledged[name] = made
                        self._grown.notify_all()

            await asyncio.gather(*(caller() for _ in range(CALLERS)))


def stored(server: Server) -> tuple[Counter[str], list[AuditRecord]]:
    """Workflow id → rows, and the audit log, read from the file of a server that is down."""
    connection = sqlite3.connect(server.directory / "symphony.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    ids = Counter(row[0] for row in connection.execute("SELECT id FROM workflows"))
    rows = connection.execute("SELECT record FROM audit_log ORDER BY sequence").fetchall()
    connection.close()
    return ids, [AuditRecord.FromString(row[0]) for row in rows]


def check(server: Server, ledger: Ledger) -> None:
    ids, audit = stored(server)
    for made in ledger.acknowledged.values():
        assert ids[made.id] == 1
    created = Counter(
        record.resource_id
        for record in audit
        if record.method == CREATE and record.outcome == AuditOutcome.AUDIT_OUTCOME_ALLOWED
    )
    by_callers = {workflow_id for workflow_id in ids if workflow_id in created}
    assert set(created.values()) == {1}
    assert set(created) == by_callers
    assert len(ids) - len(by_callers) == 1  # the demo world's, which the operator made
    assert [record.sequence for record in audit] == list(range(1, len(audit) + 1))


@pytest.mark.timeout(120)
async def test_ten_thousand_creates_from_sixteen_callers_are_all_kept(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        project_id = new_project(server)
        ledger = Ledger()
        await ledger.create(server, project_id, [f"w{n}" for n in range(10_000)])
        assert server.terminate() == 0
    assert len(ledger.acknowledged) == 10_000
    assert len({made.id for made in ledger.acknowledged.values()}) == 10_000
    check(server, ledger)


@pytest.mark.timeout(120)
async def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    ledger = Ledger()
    random_delay = random.Random(20261122)  # noqa: S311 - the same moments every time
    server = Server(tmp_path)
    with server:
        project_id = new_project(server)
        for round_number in range(6):
            names = [f"r{round_number}w{n}" for n in range(5000)]
            working = asyncio.ensure_future(ledger.create(server, project_id, names))
            seen = len(ledger.acknowledged)
            # Once calls are answered, at a moment that nothing is aligned with.
            await ledger.reaches(seen + random_delay.randrange(20, 400))
            server.kill()
            await working
            assert ledger.unknown or len(ledger.acknowledged) == seen + 5000
            check(server, ledger)
            server.start()
            unknown = sorted(ledger.unknown)
            await ledger.create(server, project_id, unknown)
            assert not ledger.unknown
        assert server.terminate() == 0
    check(server, ledger)
    names_kept = Counter(made.spec.name for made in ledger.acknowledged.values())
    assert set(names_kept.values()) == {1}
