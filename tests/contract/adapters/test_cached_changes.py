"""What is no longer so is not served: over a source that tells of changes when it is told to."""

from __future__ import annotations

import pytest

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest, GetProjectRequest
from symphony.v1.user_service_pb2 import GetUserByEmailRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from tests.contract.adapters.cache_reads import asked_again
from tests.contract.adapters.scripted_source import (
    CHECKPOINT,
    WORKFLOW,
    ScriptedSource,
    ScriptedWatch,
    read,
    reads_in_flight,
)


async def test_a_watch_is_opened_with_the_first_read_that_may_be_kept(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    await cached.call(GetUserByEmailRequest(email="ada@example.com"))
    await cached.call(DeleteWorkflowRequest(id="workflow_1"))
    assert inner.watches == []
    await read(cached)
    watch = await inner.next_watch()
    for _ in range(3):
        await read(cached)
    assert inner.watches == [watch]
    assert watch.request.start_revision == 0
    assert len(watch.request.kinds) == 5
    assert ResourceKind.RESOURCE_KIND_PROJECT_MEMBER not in watch.request.kinds


async def test_nothing_is_kept_before_the_first_checkpoint(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    assert await asked_again(cached, inner, [WORKFLOW] * 3) == [WORKFLOW] * 3
    watch = await inner.next_watch()
    await watch.change("workflow_2")
    assert await asked_again(cached, inner, [WORKFLOW] * 3) == [WORKFLOW] * 3
    assert cached.stats.unwatched == cached.stats.misses == 6
    await watch.tell(CHECKPOINT)
    assert await asked_again(cached, inner, [WORKFLOW] * 3) == [WORKFLOW]
    assert cached.stats.unwatched == 6


async def test_a_flight_from_before_the_first_checkpoint_is_neither_kept_nor_joined(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    early = [(await reads_in_flight(cached, inner, 1))[0] for _ in range(2)]
    await (await inner.next_watch()).tell(CHECKPOINT)
    (late,) = await reads_in_flight(cached, inner, 1)
    for shared, call in zip((False, False, True), inner.calls, strict=True):
        call.answer(Workflow(id=WORKFLOW.id, shared=shared))
    assert [(await reading).shared for reading in early] == [False, False]
    assert (await late).shared
    assert (await read(cached)).shared
    assert len(inner.calls) == 3


@pytest.mark.parametrize("operation", ["CREATED", "UPDATED", "DELETED"])
async def test_a_change_drops_what_is_kept_of_its_resource_and_nothing_else(
    cached: CachedDataSource, inner: ScriptedSource, watch: ScriptedWatch, operation: str
) -> None:
    await asked_again(cached, inner)
    await watch.change("project_1", operation)
    assert await asked_again(cached, inner) == [
        GetProjectRequest(id="project_1"),
        GetProjectConstraintsRequest(project_id="project_1"),
    ]
    assert cached.stats.dropped == 2


async def test_a_fetch_that_a_change_overtakes_is_neither_kept_nor_joined(
    cached: CachedDataSource, inner: ScriptedSource, watch: ScriptedWatch
) -> None:
    inner.hold()
    before = await reads_in_flight(cached, inner, 2)
    await watch.change(WORKFLOW.id)
    after = await reads_in_flight(cached, inner, 2)
    assert len(inner.calls) == 2
    inner.calls[1].answer(Workflow(id=WORKFLOW.id, shared=True))
    assert [(await reading).shared for reading in after] == [True, True]
    inner.calls[0].answer(Workflow(id=WORKFLOW.id, shared=False))
    assert [(await reading).shared for reading in before] == [False, False]
    assert (await read(cached)).shared
    assert len(inner.calls) == 2


async def test_a_fetch_that_a_change_of_something_else_overtakes_is_kept(
    cached: CachedDataSource, inner: ScriptedSource, watch: ScriptedWatch
) -> None:
    inner.hold()
    (reading,) = await reads_in_flight(cached, inner, 1)
    await watch.change("workflow_2")
    inner.calls[0].answer()
    assert await read(cached) == await reading
