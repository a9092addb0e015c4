"""A read by id is answered from what is kept as long as it may be; all else is handed on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.user_service_pb2 import GetUserByEmailRequest, GetUserCapabilitiesRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.errors import NotFound, ServerError
from tests.contract.adapters.scripted_source import (
    CHECKPOINT,
    END,
    KEPT,
    WORKFLOW,
    Clock,
    ScriptedSource,
    ScriptedWatch,
    read,
    reads_in_flight,
)

NOT_KEPT = (
    GetUserByEmailRequest(email="ada@example.com"),
    GetUserCapabilitiesRequest(user_id="user_1"),
    ListWorkflowsRequest(),
    ListExecutionsRequest(),
    GetServerInfoRequest(),
)


def named(value: Any) -> str:
    return value.DESCRIPTOR.name if isinstance(value, Message) else value.__name__


@pytest.mark.parametrize("request_", KEPT, ids=named)
@pytest.mark.usefixtures("watch")
async def test_a_read_by_id_is_asked_for_once(
    cached: CachedDataSource, inner: ScriptedSource, request_: Message
) -> None:
    first = await cached.call(request_)
    second = await cached.call(request_)
    assert len(inner.calls) == 1
    assert second == first
    assert second.revision is None
    assert second.message.ByteSize() > 0


@pytest.mark.parametrize("request_", NOT_KEPT, ids=named)
@pytest.mark.usefixtures("watch")
async def test_everything_else_is_handed_on_each_time(
    cached: CachedDataSource, inner: ScriptedSource, request_: Message
) -> None:
    for _ in range(2):
        await cached.call(request_)
    assert [call.request for call in inner.calls] == [request_, request_]


async def test_a_watch_is_handed_on(cached: CachedDataSource, inner: ScriptedSource) -> None:
    async def follow() -> list[WatchResponse]:
        return [response async for response in cached.watch(WatchRequest(start_revision=5))]

    following = asyncio.create_task(follow())
    watch = await inner.next_watch()
    await watch.tell(CHECKPOINT, END)
    assert await following == [CHECKPOINT]
    assert watch.request == WatchRequest(start_revision=5)


async def test_what_is_no_request_is_refused(cached: CachedDataSource) -> None:
    with pytest.raises(TypeError, match=r"symphony\.v1\.Workflow is not a request"):
        await cached.call(Workflow())


@pytest.mark.parametrize("error", [NotFound("none"), ServerError("broken"), ValueError("odd")])
@pytest.mark.usefixtures("watch")
async def test_an_error_is_not_kept(
    cached: CachedDataSource, inner: ScriptedSource, error: Exception
) -> None:
    inner.hold()
    for attempt in range(2):
        (reading,) = await reads_in_flight(cached, inner, 1)
        inner.calls[attempt].fail(error)
        with pytest.raises(type(error)):
            await reading
    inner.hold(calls=False)
    assert (await read(cached)).id == WORKFLOW.id


@pytest.mark.usefixtures("watch")
async def test_what_a_caller_does_to_an_answer_is_nobody_elses_concern(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    reads = await reads_in_flight(cached, inner, 3)
    inner.calls[0].answer(Workflow(id=WORKFLOW.id))
    for answer in [*await asyncio.gather(*reads), await read(cached), await read(cached)]:
        assert not answer.shared
        answer.shared = True
    assert len(inner.calls) == 1


async def test_an_entry_is_used_no_longer_than_its_time(
    cached: CachedDataSource, inner: ScriptedSource, clock: Clock, watch: ScriptedWatch
) -> None:
    await read(cached)
    for _ in range(5):  # the Watch goes on meanwhile
        clock.now += 5.9
        await watch.tell(CHECKPOINT)
    await read(cached)
    assert len(inner.calls) == 1
    clock.now += 0.6
    await read(cached)
    assert len(inner.calls) == 2


@pytest.mark.usefixtures("watch")
async def test_when_there_is_no_room_the_entry_not_read_for_longest_gives_way(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    requests = [GetWorkflowRequest(id=f"workflow_{number}") for number in range(11)]
    for request in requests[:10]:
        await read(cached, request)
    await read(cached, requests[0])
    await read(cached, requests[10])
    assert len(inner.calls) == 11
    await read(cached, requests[0])
    assert len(inner.calls) == 11
    await read(cached, requests[1])
    assert len(inner.calls) == 12


def test_bounds_that_bound_nothing_are_refused(inner: ScriptedSource) -> None:
    with pytest.raises(ValueError, match="ttl_seconds takes a number above 0"):
        CachedDataSource(inner, ttl_seconds=0)
    with pytest.raises(ValueError, match="max_entries 1 or more"):
        CachedDataSource(inner, max_entries=0)
