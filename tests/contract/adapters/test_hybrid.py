"""With a replica one is answered as without one, one's own writes included."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.project_service_pb2 import GetProjectRequest, ListProjectsRequest
from symphony.v1.user_service_pb2 import GetUserCapabilitiesRequest, ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.errors import NotFound, PreValidationFailed
from symphony_client.replica.answers import is_answerable
from symphony_server.ids import new_id
from tests.contract.adapters.replica_world import Line, answered, hybrid, ready
from tests.server.world import World


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
