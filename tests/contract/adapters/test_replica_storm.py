"""The feed breaks off again and again while much is written: nothing is missed, nothing twice.

Everyday it is a small storm; `SYMPHONY_STORM=full` makes it one of 1000 disconnects and 10,000
changes.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from symphony.v1.change_service_pb2 import WatchResponse
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
)
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.data_source import DataSource
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import grpc_source
from tests.contract.adapters.replica_world import Unsteady, every, hybrid, is_ready, ready, until
from tests.server.follower import last_revision
from tests.server.world import Person, World

FULL: Final = os.environ.get("SYMPHONY_STORM") == "full"
DISCONNECTS: Final = 1000 if FULL else 100
CHANGES: Final = 10_000 if FULL else 1000
OPERATIONS: Final = 100
"""Of one transaction; as many as it may have."""
TIMEOUT_SECONDS: Final = 600 if FULL else 60


@dataclass
class Writer:
    """Writes what every replica may see, and what turns rights, a transaction at a time."""

    world: World
    owner: Person
    member: Person
    chance: random.Random

    def __post_init__(self) -> None:
        self.project = self.world.project(self.owner)
        self.world.join(self.project, self.member, ProjectRole.PROJECT_ROLE_COLLABORATOR)
        # What a change of rights turns has to fit between two disconnects (decision 11).
        self.side = self.world.project(self.owner)
        self.inside = False
        self.workflows: list[str] = []
        self.executions: list[tuple[str, str]] = []

    def write(self) -> int:
        """Do as many operations as a transaction has; returns the revision after them."""
        request = ExecuteTransactionRequest(
            operations=[self._operation() for _ in range(OPERATIONS)]
        )
        return self.owner.ask(self.owner.transactions.ExecuteTransaction, request).revision

    def _operation(self) -> TransactionOperation:
        if not self.workflows:
            return self._create()
        acts = (self._create, self._rename, self._share, self._delete, self._start, self._member)
        (act,) = self.chance.choices(acts, (24, 24, 1, 8, 8, 2))
        return act()

    def _create(self) -> TransactionOperation:
        workflow_id = new_id("workflow")
        self.workflows.append(workflow_id)
        shared = self.chance.random() < 0.5
        request = self.world.new_workflow(self.project.id, workflow_id=workflow_id, shared=shared)
        return TransactionOperation(create_workflow=request)

    def _rename(self) -> TransactionOperation:
        name = f"renamed {new_id('workflow')}"
        return self._update("spec.name", spec=WorkflowSpec(name=name))

    def _share(self) -> TransactionOperation:
        return self._update("shared", shared=self.chance.random() < 0.5)

    def _update(self, path: str, **fields: Any) -> TransactionOperation:
        workflow = Workflow(id=self.chance.choice(self.workflows), **fields)
        request = UpdateWorkflowRequest(workflow=workflow)
        request.update_mask.paths.append(path)
        return TransactionOperation(update_workflow=request)

    def _delete(self) -> TransactionOperation:
        gone = self.chance.choice(self.workflows)
        self.workflows.remove(gone)
        # A workflow takes its executions along, but not one that still runs.
        running = [one for workflow, one in self.executions if workflow == gone]
        self.executions = [one for one in self.executions if one[0] != gone]
        if running:
            self.workflows.append(gone)
            return TransactionOperation(cancel_execution=CancelExecutionRequest(id=running[0]))
        return TransactionOperation(delete_workflow=DeleteWorkflowRequest(id=gone))

    def _start(self) -> TransactionOperation:
        workflow_id, execution_id = self.chance.choice(self.workflows), new_id("execution")
        if any(workflow == workflow_id for workflow, _ in self.executions):
            return self._rename()
        self.executions.append((workflow_id, execution_id))
        request = StartExecutionRequest(workflow_id=workflow_id, execution_id=execution_id)
        return TransactionOperation(start_execution=request)

    def _member(self) -> TransactionOperation:
        self.inside = not self.inside
        if not self.inside:
            gone = RemoveProjectMemberRequest(project_id=self.side.id, user_id=self.member.id)
            return TransactionOperation(remove_project_member=gone)
        request = AddProjectMemberRequest(
            project_id=self.side.id,
            user_id=self.member.id,
            role=ProjectRole.PROJECT_ROLE_VIEWER,
        )
        return TransactionOperation(add_project_member=request)


async def all_of(source: DataSource) -> list[Any]:
    """Everything that a user may read, in order."""
    found: list[Any] = []
    for request in (ListProjectsRequest(), ListWorkflowsRequest(), ListExecutionsRequest()):
        found += await every(source, request)
    for project in await every(source, ListProjectsRequest()):
        found += await every(source, ListProjectMembersRequest(project_id=project.id))
    return found


def heard_in_order(source: Unsteady) -> list[WatchResponse]:
    """What came over all watches; fails where a revision went back, but to the one before a
    change of rights, from which the watch was begun again.
    """
    found: list[WatchResponse] = []
    for start, came in source.heard:
        if not start:
            continue
        revision = start
        for message in came:
            event = message.WhichOneof("event")
            said = message.change if event == "change" else message.checkpoint
            assert said.revision >= revision
            revision = said.revision
        found += came
    return found


@pytest.mark.timeout(TIMEOUT_SECONDS)
async def test_after_a_storm_of_disconnects_replicas_have_all_of_it_once(
    world: World, tmp_path: Path
) -> None:
    chance = random.Random(1)  # noqa: S311 - the same storm each time
    writer = Writer(world, world.user(), world.user(), chance)
    people = (writer.owner, writer.member)
    lines = [
        Unsteady(grpc_source(world, one.secret), chance, breaks=DISCONNECTS, most_messages=8)
        for one in people
    ]
    sources = [hybrid(line, tmp_path / f"{n}.db") for n, line in enumerate(lines)]
    for source in sources:
        await ready(source, ListProjectsRequest(), revision=last_revision(world))
    start = last_revision(world)
    last = start
    while last < start + CHANGES or any(line.breaks_left for line in lines):
        last = await asyncio.to_thread(writer.write)
        if last >= start + CHANGES:
            await until(lambda: all(is_ready(source, last) for source in sources))  # noqa: B023

    for person, line, source in zip(people, lines, sources, strict=True):
        truth = grpc_source(world, person.secret)
        assert await all_of(source) == await all_of(truth)
        await truth.close()
        assert line.breaks_left == 0
        assert len([began for began, _ in line.heard if began]) > DISCONNECTS
    # Nothing is hidden from the owner, who therefore hears of every revision, and of each once.
    changes = [m.change for m in heard_in_order(lines[0]) if m.WhichOneof("event") == "change"]
    assert [change.revision for change in changes] == list(range(start + 1, last + 1))
    heard_in_order(lines[1])
    for source in sources:
        await source.close()
