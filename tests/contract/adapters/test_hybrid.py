"""The replica answers what the server would, as of a moment ago, and is never in the way."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_service_pb2 import (
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import (
    DeleteProjectRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
)
from symphony.v1.user_service_pb2 import (
    GetUserCapabilitiesRequest,
    ListUsersRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.errors import (
    AuthorizationFailed,
    LimitExceeded,
    NetworkError,
    NotAuthenticated,
    NotFound,
    OperationNotSupported,
    PreValidationFailed,
    StatusDetails,
    ValidationFailed,
)
from symphony_client.replica.answers import is_answerable
from symphony_client.replica.backoff import Backoff
from symphony_client.replica.database import ReplicaUnusable
from symphony_client.replica.following import SCOPES_NEEDED
from symphony_client.replica.replica import Replica
from symphony_client.resources.resource_table import ResourceTable
from symphony_server.ids import new_id
from symphony_server.rpc.methods import read_methods
from tests.contract.adapters.adapters import grpc_source
from tests.contract.adapters.replica_world import (
    Line,
    answered,
    compact,
    every,
    hybrid,
    is_ready,
    line_to,
    ready,
    until,
)
from tests.server.test_watch import last_revision, leave
from tests.server.world import Person, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, rate_limits=False) as made:
        yield made


@pytest.fixture
async def line(world: World) -> AsyncIterator[Line]:
    """The line of the ADMIN."""
    line = line_to(world)
    yield line
    await line.close()


async def test_what_is_refused_without_a_replica_is_refused_with_one(line: Line) -> None:
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    line.cut()
    with pytest.raises(PreValidationFailed) as refused:
        await source.call(GetWorkflowRequest(id="x"))
    assert [violation.field for violation in refused.value.violations] == ["id"]
    absent = GetWorkflowRequest(id=new_id("workflow"))
    with pytest.raises(NotFound) as missing:
        await source.call(absent)
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    assert missing.value.status.resource_name == absent.id
    await source.close()


async def test_the_rest_is_handed_on(world: World, line: Line) -> None:
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    for request in (
        WhoAmIRequest(),
        ListUsersRequest(),
        GetUserCapabilitiesRequest(user_id=world.admin.id),
    ):
        line.calls.clear()
        assert await answered(source, request) == await answered(line.inner, request)
        assert line.calls == [request]
    revision = source.staleness().revision
    stream: Any = source.watch(WatchRequest())
    assert (await anext(stream)).checkpoint.revision == revision
    await stream.aclose()
    await source.close()


async def test_to_act_for_another_is_to_ask_the_server(world: World, line: Line) -> None:
    person = world.user()
    project = world.project(person)
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    other = source.acting_as(person.id)
    assert (await answered(other, WhoAmIRequest())).user.id == person.id
    assert (await answered(other, ListProjectsRequest())).projects == [project]
    await source.close()


# --- one's own writes -----------------------------------------------------------------------------


async def test_a_read_after_a_write_has_it_two_hundred_times(world: World, line: Line) -> None:
    source = hybrid(line)
    project = world.project(world.admin)
    made = await answered(source, world.new_workflow(project.id))
    await ready(source, ListProjectsRequest())
    line.calls.clear()
    for number in range(200):
        named = Workflow(id=made.id, spec=WorkflowSpec(name=f"name {number}"))
        request = UpdateWorkflowRequest(workflow=named)
        request.update_mask.paths.append("spec.name")
        written = await answered(source, request)
        if number % 2:
            assert await answered(source, GetWorkflowRequest(id=made.id)) == written
        else:
            prefix = ListWorkflowsRequest(name_prefix=f"name {number}")
            assert list((await answered(source, prefix)).workflows) == [written]
    reads = [request for request in line.calls if is_answerable(request)]
    assert len(reads) < 20, "the replica usually has a write before a read would reach the server"
    await source.call(DeleteWorkflowRequest(id=made.id))
    with pytest.raises(NotFound):
        await source.call(GetWorkflowRequest(id=made.id))
    await source.close()


async def test_a_write_that_does_not_come_in_time_is_read_from_the_server(
    world: World, line: Line
) -> None:
    source = hybrid(line, own_writes_wait_seconds=0.01)
    project = world.project(world.admin)
    await ready(source, ListProjectsRequest())
    line.silent = True
    made = await answered(source, world.new_workflow(project.id))
    line.calls.clear()
    loop = asyncio.get_running_loop()
    start = loop.time()
    for _ in range(20):
        assert await answered(source, GetWorkflowRequest(id=made.id)) == made
    assert len(line.calls) == 20
    assert loop.time() - start < 20 * 0.01, "only the first read waits"
    await source.close()


async def test_what_was_only_tried_is_not_waited_for(world: World, line: Line) -> None:
    source = hybrid(line)
    project = world.project(world.admin)
    await ready(source, ListProjectsRequest())
    line.silent = True
    await source.call(world.new_workflow(project.id, validate_only=True))
    line.calls.clear()
    assert (await answered(source, GetProjectRequest(id=project.id))) == project
    assert not line.calls
    await source.close()


# --- rights ---------------------------------------------------------------------------------------


async def test_who_leaves_a_project_loses_what_it_had_of_it(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    workflow = world.workflow(owner, project, shared=True)
    start = StartExecutionRequest(workflow_id=workflow.id)
    execution = owner.get(owner.executions.StartExecution, start)
    line = line_to(world, member)
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    assert (await answered(source, ListProjectsRequest())).projects == []
    world.join(project, member, ProjectRole.PROJECT_ROLE_VIEWER)
    await until(lambda: is_ready(source, last_revision(world)))
    line.calls.clear()
    assert (await answered(source, ListWorkflowsRequest())).workflows == [workflow]
    assert (await answered(source, GetExecutionRequest(id=execution.id))) == execution
    left = leave(world, project, member)
    await until(lambda: is_ready(source, left.revision))
    for request in (ListProjectsRequest(), ListWorkflowsRequest(), ListExecutionsRequest()):
        assert await every(source, request) == []
    for gone in (
        GetProjectRequest(id=project.id),
        GetWorkflowRequest(id=workflow.id),
        GetExecutionRequest(id=execution.id),
        ListProjectMembersRequest(project_id=project.id),
    ):
        with pytest.raises(NotFound):
            await source.call(gone)
    assert not line.calls
    await source.close()


async def test_who_removes_itself_reads_that(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    world.join(project, other, ProjectRole.PROJECT_ROLE_OWNER)
    source = hybrid(line_to(world, other))
    await ready(source, ListProjectsRequest())
    await source.call(RemoveProjectMemberRequest(project_id=project.id, user_id=other.id))
    assert (await answered(source, ListProjectsRequest())).projects == []
    await source.close()


async def test_what_a_change_of_rights_turns_shows_with_it_as_a_whole(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    for _ in range(30):
        world.workflow(owner, project, shared=True)
    line = line_to(world, member)
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    await until(lambda: is_ready(source, last_revision(world)))
    world.join(project, member, ProjectRole.PROJECT_ROLE_VIEWER)
    seen = set()
    while 30 not in seen:
        seen.add(len((await answered(source, ListWorkflowsRequest())).workflows))
        await asyncio.sleep(0)
    assert seen <= {0, 30}
    await source.close()


async def test_whom_the_server_refuses_the_replica_does_not_answer(world: World) -> None:
    person = world.user()
    project = world.project(person)
    line = line_to(world, person)
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    token = (await answered(source, WhoAmIRequest())).token
    world.admin.get(world.admin.access.RevokeToken, RevokeTokenRequest(id=token.id))
    await until(lambda: source.staleness().revision is None)
    with pytest.raises(NotAuthenticated):
        await source.call(GetProjectRequest(id=project.id))
    await source.close()


def test_the_scopes_that_a_replica_takes_are_those_of_what_it_answers() -> None:
    needed = {
        method.permission
        for method in read_methods().values()
        if method.request_class is WatchRequest or is_answerable(method.request_class())
    }
    assert needed == set(SCOPES_NEEDED)


async def test_a_token_for_less_than_everything_has_no_replica(world: World) -> None:
    person = world.user()
    world.project(person)
    scopes = ["projects.", "changes.", "access."]
    narrow = Person(world.admin.channel, world.token(person.id, scopes), person.user)
    line = line_to(world, narrow)
    source = hybrid(line)
    assert len((await answered(source, ListProjectsRequest())).projects) == 1
    await until(lambda: "symphony-replica" not in {one.get_name() for one in asyncio.all_tasks()})
    with pytest.raises(AuthorizationFailed):
        await source.call(ListWorkflowsRequest())
    assert source.staleness().revision is None
    assert not line.watches
    await source.close()


# --- the server gone ------------------------------------------------------------------------------


async def test_while_the_server_is_gone_reads_go_on_and_the_rest_fails(
    world: World, line: Line
) -> None:
    source = hybrid(line)
    project = world.project(world.admin)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    fresh = source.staleness()
    assert fresh.connected
    assert fresh.seconds is not None
    line.cut()
    await until(lambda: not source.staleness().connected)
    assert (await answered(source, ListProjectsRequest())).projects == [project]
    with pytest.raises(NetworkError):
        await source.call(world.new_workflow(project.id))
    with pytest.raises(NetworkError):
        await source.call(ListUsersRequest())
    stale = source.staleness()
    assert stale.revision == fresh.revision
    assert stale.seconds is not None
    assert stale.seconds > 0

    missed = world.workflow(world.admin, project)
    assert (await answered(source, ListWorkflowsRequest())).workflows == []
    line.mend()
    await until(lambda: is_ready(source, last_revision(world)))
    assert (await answered(source, ListWorkflowsRequest())).workflows == [missed]
    await source.close()


async def test_what_is_too_old_is_read_from_the_server(world: World, line: Line) -> None:
    source = hybrid(line, max_staleness_seconds=3600)
    await ready(source, ListProjectsRequest())
    line.calls.clear()
    await source.call(ListProjectsRequest())
    assert not line.calls
    await source.close()
    other = line_to(world)
    strict = hybrid(other, max_staleness_seconds=0)
    await ready(strict, ListProjectsRequest())
    other.calls.clear()
    await strict.call(ListProjectsRequest())
    assert other.calls == [ListProjectsRequest()]
    await strict.close()


async def test_a_feed_that_falls_silent_is_asked_for_again(world: World, line: Line) -> None:
    source = hybrid(line, silence_seconds=0.2)
    await ready(source, ListProjectsRequest())
    line.silent = True
    began = len(line.watches)
    await until(lambda: len(line.watches) > began)
    line.silent = False
    world.project(world.admin)
    await until(lambda: is_ready(source, last_revision(world)))
    await source.close()


async def test_a_feed_that_just_ends_is_asked_for_again(world: World, line: Line) -> None:
    source = hybrid(line)
    await ready(source, ListProjectsRequest())
    line.end()
    world.project(world.admin)
    await until(lambda: is_ready(source, last_revision(world)))
    assert len(line.watches) == 5
    await source.close()


async def test_without_a_feed_there_is_no_replica(line: Line) -> None:
    line.cut(OperationNotSupported("no feed"))
    source = hybrid(line)
    with pytest.raises(OperationNotSupported):
        await source.call(ListProjectsRequest())
    line.mend()
    assert (await answered(source, ListProjectsRequest())).projects == []
    assert source.staleness().revision is None
    await source.close()


async def test_a_list_goes_on_at_the_server_where_the_replica_left_it(
    world: World, line: Line
) -> None:
    project = world.project(world.admin)
    for _ in range(12):
        world.workflow(world.admin, project)
    source = hybrid(line, own_writes_wait_seconds=0)
    for order in ("", "create_time", "name"):
        await ready(source, ListProjectsRequest(), revision=last_revision(world))
        request = ListWorkflowsRequest(page_size=4, order_by=order)
        wanted = await every(line.inner, request)
        found: list[Workflow] = []
        line.silent = True
        while not found or request.page_token:
            line.calls.clear()
            page = await answered(source, request)
            assert bool(line.calls) == bool(found), "the first page is the replica's"
            found += page.workflows
            request.page_token = page.next_page_token
            # From now on the replica waits for a write that it is not told of.
            await source.call(world.new_workflow(world.project(world.admin).id))
        names = {workflow.id for workflow in wanted}
        assert [workflow for workflow in found if workflow.id in names] == wanted
        line.silent = False
        line.cut()
        line.mend()
    await source.close()


async def test_a_page_token_of_another_list_is_refused(world: World, line: Line) -> None:
    project = world.project(world.admin)
    for _ in range(3):
        world.workflow(world.admin, project)
    source = hybrid(line)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    page = await answered(source, ListWorkflowsRequest(page_size=1))
    token = page.next_page_token
    for wrong in (
        ListWorkflowsRequest(page_token=token, order_by="name"),
        ListWorkflowsRequest(page_token=token[:-4] + "AAAA"),
        ListWorkflowsRequest(page_token="replica.!"),
        ListExecutionsRequest(page_token=token),
    ):
        with pytest.raises(ValidationFailed) as refused:
            await source.call(wrong)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"
    await source.close()


# --- starting, starting again, starting afresh ----------------------------------------------------


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
