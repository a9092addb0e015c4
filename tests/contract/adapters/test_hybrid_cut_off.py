"""A replica answers on while the server is gone, and says how far it is behind."""

from __future__ import annotations

import pytest

from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.project_service_pb2 import ListProjectsRequest
from symphony.v1.user_service_pb2 import ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.errors import NetworkError, OperationNotSupported, ValidationFailed
from tests.contract.adapters.replica_world import (
    Line,
    answered,
    every,
    hybrid,
    is_ready,
    line_to,
    ready,
    until,
)
from tests.server.follower import last_revision
from tests.server.world import World


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
