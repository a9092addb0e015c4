"""What is kept, for whom, and who shares a call: over a source that does what it is told."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.user_service_pb2 import (
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
)
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    GetWorkflowRequest,
    ListWorkflowsRequest,
)
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.cache import watches as watches_module
from symphony_client.errors import (
    NotFound,
    ServerError,
)
from tests.contract.adapters.scripted_source import (
    CHECKPOINT,
    END,
    KEPT,
    WORKFLOW,
    Clock,
    ScriptedSource,
    ScriptedWatch,
    begin_watch,
    read,
    reads_in_flight,
    until,
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


@pytest.fixture
def inner() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cached(inner: ScriptedSource, clock: Clock) -> AsyncIterator[CachedDataSource]:
    """A cache that nothing was asked of yet."""
    source = CachedDataSource(inner, ttl_seconds=30, max_entries=10, timer=clock)
    yield source
    await source.close()


@pytest.fixture
async def watch(cached: CachedDataSource, inner: ScriptedSource) -> ScriptedWatch:
    """The live Watch of the cache."""
    return await begin_watch(cached, inner)


# --- what is kept ------------------------------------------------------------------------------


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


# --- flights -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("watch")
async def test_a_hundred_who_want_the_same_make_one_call(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    early = await reads_in_flight(cached, inner, 50)
    late = [asyncio.create_task(read(cached)) for _ in range(50)]
    await until(lambda: cached.stats.waits == 99)
    inner.calls[0].answer()
    assert {answer.id for answer in await asyncio.gather(*early, *late)} == {WORKFLOW.id}
    assert len(inner.calls) == 1


async def test_a_hundred_make_one_call_before_a_watch_is_live_if_they_come_at_once(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    await asyncio.gather(*(read(cached) for _ in range(100)))
    assert len(inner.calls) == 1


@pytest.mark.usefixtures("watch")
async def test_reads_of_different_things_do_not_wait_for_each_other(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    reads = [asyncio.create_task(read(cached, request)) for request in KEPT]
    await inner.next_call(len(KEPT) - 1)
    for call in reversed(inner.calls):
        call.answer()
    await asyncio.gather(*reads)
    assert [call.request for call in inner.calls] == list(KEPT)


@pytest.mark.parametrize("leaver", [0, 1, 2])
@pytest.mark.usefixtures("watch")
async def test_who_leaves_does_no_harm_to_who_waits(
    cached: CachedDataSource, inner: ScriptedSource, leaver: int
) -> None:
    inner.hold()
    reads = await reads_in_flight(cached, inner, 3)
    left = reads.pop(leaver)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    inner.calls[0].answer()
    await asyncio.gather(*reads)
    await read(cached)
    assert len(inner.calls) == 1


@pytest.mark.usefixtures("watch")
async def test_a_call_that_nobody_waits_for_is_given_up_and_joined_by_nobody(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    reads = await reads_in_flight(cached, inner, 2)
    for reading in reads:
        reading.cancel()
    again = asyncio.create_task(read(cached))
    (await inner.next_call(1)).answer()
    assert (await again).id == WORKFLOW.id
    assert inner.calls[0].given_up


@pytest.mark.usefixtures("watch")
async def test_an_error_reaches_all_who_waited(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    reads = await reads_in_flight(cached, inner, 100)
    inner.calls[0].fail(NotFound("none"))
    errors = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(error) for error in errors] == [NotFound] * 100
    assert len(inner.calls) == 1


@pytest.mark.usefixtures("watch")
async def test_an_error_that_nobody_waits_for_any_more_is_not_complained_of(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    inner.hold()
    (reading,) = await reads_in_flight(cached, inner, 1)
    inner.calls[0].fail(NotFound("none"))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    del reading
    inner.calls.clear()
    await asyncio.sleep(0)
    gc.collect()
    assert complaints == []


# --- whose entries -----------------------------------------------------------------------------


async def test_each_user_has_entries_and_a_watch_of_its_own(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    ada, bob = cached.acting_as("user_ada"), cached.acting_as("user_bob")
    watches = [await begin_watch(source, inner) for source in (cached, ada, bob)]
    assert [watch.user for watch in inner.watches] == [None, "user_ada", "user_bob"]
    for source in (cached, ada, bob):
        for _ in range(2):
            await read(source)
    assert [call.user for call in inner.calls] == [None, "user_ada", "user_bob"]

    await watches[1].change(WORKFLOW.id, "DELETED")
    for source in (cached, ada, bob):
        await read(source)
    assert [call.user for call in inner.calls[3:]] == ["user_ada"]

    again = cached.acting_as("user_ada")
    await read(again)
    await read(again.acting_as("user_bob"))
    assert len(inner.calls) == 4


async def test_nobody_joins_the_flight_of_another(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    ada = cached.acting_as("user_ada")
    for source in (cached, ada):
        await begin_watch(source, inner)
    inner.hold()
    own = asyncio.create_task(read(cached))
    adas = asyncio.create_task(read(ada))
    await inner.next_call(1)
    inner.calls[0].answer()
    inner.calls[1].fail(NotFound("none"))
    assert (await own).id == WORKFLOW.id
    with pytest.raises(NotFound):
        await adas


async def test_the_bounds_are_shared(cached: CachedDataSource, inner: ScriptedSource) -> None:
    ada = cached.acting_as("user_ada")
    for source in (cached, ada):
        await begin_watch(source, inner)
    await read(cached)
    for number in range(10):
        await read(ada, GetWorkflowRequest(id=f"workflow_{number}"))
    await read(cached)
    assert len(inner.calls) == 12
    assert ada.stats == cached.stats


async def test_of_too_many_users_the_one_that_did_not_read_for_longest_gives_way(
    cached: CachedDataSource,
    inner: ScriptedSource,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watches_module, "MAX_WATCHES", 2)
    ada, bob, eve = (cached.acting_as(user) for user in ("user_ada", "user_bob", "user_eve"))
    adas, bobs = [await begin_watch(source, inner) for source in (ada, bob)]
    for source in (bob, ada):
        await read(source)
    clock.now += 2
    eves = await begin_watch(eve, inner)
    await until(lambda: bobs.ended)
    assert cached.stats.dropped == 1
    assert not adas.ended
    for source in (ada, eve, eve):
        await read(source)
    assert [call.user for call in inner.calls] == ["user_eve"]

    clock.now += 2
    await read(bob)
    assert len(inner.watches) == 4
    await until(lambda: adas.ended)
    assert not eves.ended


async def test_more_users_at_a_time_than_watches_do_not_take_them_from_each_other(
    cached: CachedDataSource, inner: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches_module, "MAX_WATCHES", 1)
    ada, bob = cached.acting_as("user_ada"), cached.acting_as("user_bob")
    await begin_watch(ada, inner)
    for _ in range(10):
        await read(ada)
        await read(bob)
    assert [call.user for call in inner.calls] == ["user_ada"] + ["user_bob"] * 10
    assert len(inner.watches) == 1
