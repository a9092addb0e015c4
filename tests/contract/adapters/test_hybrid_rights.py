"""A replica answers with what its user may read now, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_service_pb2 import (
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import (
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
)
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_client.errors import AuthorizationFailed, NotAuthenticated, NotFound
from symphony_client.replica.answers import is_answerable
from symphony_client.replica.following import SCOPES_NEEDED
from symphony_server.rpc.methods import read_methods
from tests.contract.adapters.replica_world import (
    answered,
    every,
    hybrid,
    is_ready,
    line_to,
    ready,
    until,
)
from tests.server.follower import last_revision
from tests.server.rights import leave
from tests.server.world import Person, World


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
