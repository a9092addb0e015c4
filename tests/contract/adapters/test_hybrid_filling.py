"""A replica is in nobody's way while it is filled, again or afresh, nor when it fails."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import pytest
from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.project_service_pb2 import (
    DeleteProjectRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.errors import LimitExceeded, NetworkError, NotFound, StatusDetails
from symphony_client.replica.backoff import Backoff
from symphony_client.replica.database import ReplicaUnusable
from symphony_client.replica.replica import Replica
from symphony_client.resources.resource_table import ResourceTable
from tests.contract.adapters.adapters import grpc_source
from tests.contract.adapters.replica_world import (
    Line,
    answered,
    compact,
    every,
    hybrid,
    is_ready,
    ready,
    until,
)
from tests.server.follower import last_revision
from tests.server.world import World


async def test_until_it_is_ready_reads_go_to_the_server(world: World, line: Line) -> None:
    project = world.project(world.admin)
    source = hybrid(line)
    assert source.staleness() == HybridDataSource(line.inner).staleness()
    assert (await answered(source, GetProjectRequest(id=project.id))) == project
    assert line.calls[0] == GetProjectRequest(id=project.id)
    await ready(source, ListProjectsRequest())
    line.calls.clear()
    assert (await answered(source, GetProjectRequest(id=project.id))) == project
    assert not line.calls
    await source.close()


async def test_after_too_long_away_it_starts_afresh_and_keeps_nothing_of_before(
    world: World, line: Line
) -> None:
    project = world.project(world.admin)
    gone, kept = (world.workflow(world.admin, project) for _ in range(2))
    source = hybrid(line)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    line.cut()
    await until(lambda: not source.staleness().connected)
    admin = world.admin
    admin.get(admin.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=gone.id))
    new = world.workflow(admin, project)
    compact(world)
    assert len((await answered(source, ListWorkflowsRequest())).workflows) == 2
    line.watches.clear()
    line.mend()
    await until(lambda: is_ready(source, last_revision(world)))
    # A look at the store, the watch that is refused; a look before filling and one after it.
    assert [request.start_revision == 0 for request in line.watches] == [1, 0, 1, 1, 0]
    line.calls.clear()
    assert (await answered(source, ListWorkflowsRequest())).workflows == [new, kept]
    with pytest.raises(NotFound):
        await source.call(GetWorkflowRequest(id=gone.id))
    assert not line.calls
    await source.close()


async def test_what_changes_while_it_is_filled_is_right_as_soon_as_it_answers(
    world: World, line: Line
) -> None:
    admin = world.admin
    project = world.project(admin)
    gone, renamed = (world.workflow(admin, project) for _ in range(2))

    async def change(request: Message) -> None:
        if isinstance(request, ListExecutionsRequest):  # the last that is listed
            line.before = nothing
            admin.get(admin.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=gone.id))
            for number in range(100):
                named = Workflow(id=renamed.id, spec=WorkflowSpec(name=f"name {number}"))
                update = UpdateWorkflowRequest(workflow=named)
                update.update_mask.paths.append("spec.name")
                admin.get(admin.workflows.UpdateWorkflow, update)

    async def nothing(_: Message) -> None:
        pass

    source = hybrid(line)
    line.before = change
    line.lags = True
    await source.call(ListProjectsRequest())
    await until(lambda: source.staleness().revision is not None)
    line.calls.clear()
    found = (await answered(source, ListWorkflowsRequest())).workflows
    assert not line.calls
    assert [workflow.spec.name for workflow in found] == ["name 99"]
    await source.close()


async def test_what_goes_while_it_is_listed_is_no_trouble(world: World, line: Line) -> None:
    gone, kept = world.project(world.admin), world.project(world.admin)

    async def delete(request: Message) -> None:
        if isinstance(request, ListProjectMembersRequest) and request.project_id == gone.id:
            removal = DeleteProjectRequest(id=gone.id)
            world.admin.get(world.admin.projects.DeleteProject, removal)

    line.before = delete
    source = hybrid(line)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    assert await every(source, ListProjectsRequest()) == [kept]
    assert len(line.watches) == 3
    await source.close()


async def test_a_rate_limit_makes_filling_slower_and_no_more(world: World, line: Line) -> None:
    project = world.project(world.admin)
    refusals = 3

    async def refuse(request: Message) -> None:
        nonlocal refusals
        if isinstance(request, ListProjectMembersRequest) and refusals:
            refusals -= 1
            raise LimitExceeded("slowly", StatusDetails(retry_after=timedelta(milliseconds=1)))

    line.before = refuse
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    assert refusals == 0
    assert len(line.watches) == 3
    members = ListProjectMembersRequest(project_id=project.id)
    assert len((await answered(source, members)).members) == 1
    await source.close()


@pytest.mark.parametrize("error", [RuntimeError("unexpected"), ReplicaUnusable("disk full")])
async def test_a_change_that_cannot_be_taken_in_stops_no_reads_and_is_got_round(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    project = world.project(world.admin)
    source = hybrid(line)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Replica, "apply", fail)
        workflow = world.workflow(world.admin, project)
        await until(lambda: source.staleness().revision is None)
        assert (await every(source, ListWorkflowsRequest())) == [workflow]
    await until(lambda: is_ready(source, last_revision(world)))
    line.calls.clear()
    assert (await every(source, ListWorkflowsRequest())) == [workflow]
    assert not line.calls
    await source.close()


async def test_rows_that_cannot_be_read_are_read_from_the_server(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = world.project(world.admin)
    source = hybrid(line)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(ResourceTable, "get", fail)
    monkeypatch.setattr(ResourceTable, "find", fail)
    assert (await answered(source, GetProjectRequest(id=project.id))) == project
    assert (await answered(source, ListProjectsRequest())).projects == [project]
    await source.close()


def test_pauses_double_up_to_a_bound_and_are_spread() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=4)
    for failures, longest in ((1, 1), (2, 2), (3, 4), (4, 4), (1000, 4)):
        pauses = [backoff.seconds(failures) for _ in range(200)]
        assert 0 <= min(pauses) < longest / 4
        assert longest * 3 / 4 < max(pauses) <= longest


async def test_one_change_after_the_other_does_not_keep_it_from_answering(
    world: World, line: Line
) -> None:
    # A checkpoint may not come before there is a pause; the next start must not wait for one.
    line.checkpoints = False
    project = world.project(world.admin)
    source = hybrid(line)
    await source.call(ListProjectsRequest())
    while not is_ready(source):
        world.workflow(world.admin, project)
        await asyncio.sleep(0.001)
    line.cut()
    await until(lambda: not source.staleness().connected)
    before = source.staleness().seconds
    line.mend()
    while (source.staleness().seconds or 0) >= (before or 0):
        world.workflow(world.admin, project)
        await asyncio.sleep(0.001)
    await source.close()


async def test_one_can_wait_until_the_replica_answers(world: World) -> None:
    hybrid = HybridDataSource(grpc_source(world))
    assert hybrid.staleness().revision is None
    async with asyncio.timeout(20):
        await hybrid.ready()
    assert hybrid.staleness().revision is not None
    await hybrid.close()
    with pytest.raises(NetworkError):
        await hybrid.ready()
