"""What is no longer so is not served: over a source that tells of changes when it is told to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, GetExecutionRequest
from symphony.v1.project_service_pb2 import (
    GetProjectConstraintsRequest,
    GetProjectRequest,
    RemoveProjectMemberRequest,
)
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import GetUserByEmailRequest, UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    UpdateWorkflowRequest,
)
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.cache import watching as watching_module
from symphony_client.cache.watching import pause_seconds
from symphony_client.contract_methods import contract_methods
from symphony_client.data_source import Answer
from symphony_client.errors import (
    AuthorizationFailed,
    Conflict,
    DeadlineExceeded,
    NetworkError,
    OperationNotSupported,
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

LATE = GetExecutionRequest(id="execution_late")
KINDS = ("user", "project", "workflow", "extension", "execution")
WRITES = [method.request for method in contract_methods().values() if method.writes]


@pytest.fixture
def inner() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cached(inner: ScriptedSource, clock: Clock) -> AsyncIterator[CachedDataSource]:
    """A cache that nothing was asked of yet."""
    source = CachedDataSource(inner, timer=clock)
    yield source
    await source.close()


@pytest.fixture
async def watch(cached: CachedDataSource, inner: ScriptedSource) -> ScriptedWatch:
    """The live Watch of the cache."""
    return await begin_watch(cached, inner)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches are opened again without a pause."""
    monkeypatch.setattr(watching_module, "FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr(watching_module, "REFUSED_PAUSE_SECONDS", 0)


async def asked_again(
    source: CachedDataSource, inner: ScriptedSource, requests: Sequence[Message] = KEPT
) -> list[Message]:
    """Those of some reads that were not answered from what is kept."""
    before = len(inner.calls)
    for request in requests:
        await read(source, request)
    return [call.request for call in inner.calls[before:]]


# --- the Watch ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "end",
    [
        END,
        NetworkError("gone"),
        DeadlineExceeded("after an hour"),
        AuthorizationFailed("suspended"),
        Conflict("a revision that is not kept"),
        RuntimeError("something odd"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("at_once")
async def test_nothing_is_kept_from_the_end_of_a_watch_to_the_checkpoint_of_the_next(
    cached: CachedDataSource,
    inner: ScriptedSource,
    watch: ScriptedWatch,
    end: Exception | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await asked_again(cached, inner)
    await watch.tell(end)
    again = await inner.next_watch(1)
    assert again.request == watch.request
    for _ in range(2):
        assert await asked_again(cached, inner) == list(KEPT)
    assert cached.stats.dropped == len(KEPT)
    await again.tell(CHECKPOINT)
    assert await asked_again(cached, inner) == list(KEPT)
    assert await asked_again(cached, inner) == []
    assert ("a watch ended" in caplog.text) == (end is not END)


@pytest.mark.usefixtures("at_once")
async def test_a_fetch_that_the_end_of_a_watch_overtakes_is_neither_kept_nor_joined(
    cached: CachedDataSource, inner: ScriptedSource, watch: ScriptedWatch
) -> None:
    inner.hold()
    (before,) = await reads_in_flight(cached, inner, 1)
    await watch.tell(END)
    await (await inner.next_watch(1)).tell(CHECKPOINT)
    (after,) = await reads_in_flight(cached, inner, 1)
    inner.calls[0].answer(Workflow(id=WORKFLOW.id, shared=False))
    assert not (await before).shared
    inner.calls[1].answer(Workflow(id=WORKFLOW.id, shared=True))
    assert (await after).shared
    assert (await read(cached)).shared
    assert len(inner.calls) == 2


@pytest.mark.usefixtures("at_once")
async def test_a_watch_that_says_nothing_for_too_long_is_lost(
    cached: CachedDataSource, inner: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching_module, "SILENCE_SECONDS", 0.05)
    watch = await begin_watch(cached, inner)
    await read(cached)
    await until(lambda: watch.ended)
    assert cached.stats.dropped == 1
    await inner.next_watch(1)


@pytest.mark.usefixtures("at_once")
async def test_a_loop_that_was_held_up_serves_nothing_and_begins_anew(
    cached: CachedDataSource, inner: ScriptedSource, clock: Clock, watch: ScriptedWatch
) -> None:
    await read(cached)
    clock.now += watching_module.SILENCE_SECONDS + 0.1
    assert await asked_again(cached, inner, [WORKFLOW]) == [WORKFLOW]
    await watch.tell(CHECKPOINT)  # it had lain there
    assert await asked_again(cached, inner, [WORKFLOW]) == [WORKFLOW]
    assert watch.ended
    await (await inner.next_watch(1)).tell(CHECKPOINT)
    assert await asked_again(cached, inner, [WORKFLOW] * 2) == [WORKFLOW]


async def test_a_fetch_from_before_a_loop_was_held_up_is_neither_kept_nor_joined(
    cached: CachedDataSource, inner: ScriptedSource, clock: Clock, watch: ScriptedWatch
) -> None:
    inner.hold()
    (before,) = await reads_in_flight(cached, inner, 1)
    clock.now += watching_module.SILENCE_SECONDS + 0.1
    (after,) = await reads_in_flight(cached, inner, 1)
    for call in inner.calls:
        call.answer()
    await asyncio.gather(before, after)
    assert len(inner.calls) == 2
    inner.hold(calls=False)
    assert await asked_again(cached, inner, [WORKFLOW]) == [WORKFLOW]
    await watch.tell(CHECKPOINT)
    assert await asked_again(cached, inner, [WORKFLOW]) == [WORKFLOW]


def test_silence_is_longer_than_the_contract_lets_a_watch_be_silent() -> None:
    assert watching_module.SILENCE_SECONDS > 5


@pytest.mark.parametrize(
    ("failures", "refused", "least", "most"),
    [
        (0, False, 0.05, 0.1),
        (1, False, 0.1, 0.2),
        (4, False, 0.8, 1.6),
        (6, False, 2.5, 5.0),
        (10_000, False, 2.5, 5.0),
        (1, True, 30.0, 60.0),
    ],
)
def test_the_pause_before_the_next_watch_grows_to_a_bound_and_is_never_the_same(
    failures: int, refused: bool, least: float, most: float
) -> None:
    pauses = {pause_seconds(failures, refused=refused) for _ in range(100)}
    assert len(pauses) > 90
    assert least <= min(pauses)
    assert max(pauses) <= most


async def test_pauses_grow_while_watches_end_soon_and_start_over_after_one_that_lasted(
    inner: ScriptedSource, clock: Clock, watch: ScriptedWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[tuple[int, bool]] = []

    def no_pause(failures: int, *, refused: bool) -> float:
        paused.append((failures, refused))
        return 0

    monkeypatch.setattr(watching_module, "pause_seconds", no_pause)
    ends = (END, NetworkError("gone"), AuthorizationFailed("suspended"))
    for number, end in enumerate(ends, start=1):
        await watch.tell(end)
        watch = await inner.next_watch(number)
    clock.now += 6
    await watch.tell(END)
    await inner.next_watch(len(ends) + 1)
    assert paused == [(1, False), (2, False), (3, True), (0, False)]


async def test_without_a_feed_nothing_is_kept_and_none_is_asked_for_again(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.refuses_watches_with.append(OperationNotSupported("no feed"))
    assert await asked_again(cached, inner, [WORKFLOW] * 3) == [WORKFLOW] * 3
    await inner.next_watch()
    assert await asked_again(cached, inner, [WORKFLOW] * 3) == [WORKFLOW] * 3
    assert len(inner.watches) == 1


# --- one's own writes --------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.DESCRIPTOR.name)
@pytest.mark.usefixtures("watch")
async def test_what_a_write_names_is_served_to_nobody_after_it(
    cached: CachedDataSource, inner: ScriptedSource, write: type[Message]
) -> None:
    ada = cached.acting_as("user_ada")
    await begin_watch(ada, inner)
    for source in (cached, ada):
        await asked_again(source, inner)
    request = write()
    names = set(fill_ids(request))
    named = [kept for kept in KEPT if names.intersection(fill_ids(kept, fill=False))]
    await cached.call(request)
    for source in (cached, ada):
        again = await asked_again(source, inner)
        assert [kept for kept in named if kept not in again] == []


@pytest.mark.parametrize(
    "write",
    [
        ExecuteTransactionRequest(),
        RemoveProjectMemberRequest(project_id="project_2", user_id="user_2"),
        UpdateUserRequest(user=User(id="user_2")),
    ],
    ids=lambda write: write.DESCRIPTOR.name,
)
@pytest.mark.usefixtures("watch")
async def test_after_a_write_that_may_reach_anything_nothing_is_served(
    cached: CachedDataSource, inner: ScriptedSource, write: Message
) -> None:
    await asked_again(cached, inner)
    (reading,) = await late_read(cached, inner)
    inner.hold(calls=False)
    await cached.call(write)
    inner.calls[-2].answer()
    await reading
    assert await asked_again(cached, inner, [*KEPT, LATE]) == [*KEPT, LATE]


@pytest.mark.parametrize(
    "write",
    [
        UpdateWorkflowRequest(workflow=Workflow(id="workflow_1")),
        DeleteWorkflowRequest(id="workflow_1"),
    ],
    ids=lambda write: write.DESCRIPTOR.name,
)
@pytest.mark.usefixtures("watch")
async def test_a_write_to_a_workflow_reaches_its_executions(
    cached: CachedDataSource, inner: ScriptedSource, write: Message
) -> None:
    await asked_again(cached, inner)
    (reading,) = await late_read(cached, inner)
    inner.hold(calls=False)
    await cached.call(write)
    inner.calls[-2].answer(Execution(id=LATE.id, workflow_id="workflow_1"))
    await reading
    expected = [WORKFLOW, GetExecutionRequest(id="execution_1"), LATE]
    assert await asked_again(cached, inner, [*KEPT, LATE]) == expected

    await cached.call(DeleteWorkflowRequest(id="workflow_2"))
    assert await asked_again(cached, inner) == []


@pytest.mark.usefixtures("watch")
async def test_a_write_drops_what_its_response_names_and_leaves_the_rest(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    await asked_again(cached, inner)
    inner.hold()
    write = asyncio.create_task(cached.call(CancelExecutionRequest(id="execution_2")))
    call = await inner.next_call(len(inner.calls))
    call.answer(Execution(id="execution_2", workflow_id="workflow_1"))
    assert await write == Answer(Execution(id="execution_2", workflow_id="workflow_1"), 7)
    inner.hold(calls=False)
    assert await asked_again(cached, inner) == [WORKFLOW]


@pytest.mark.usefixtures("watch")
async def test_a_write_is_not_overtaken_by_a_read_that_began_before_it_ended(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.hold()
    write = asyncio.create_task(
        cached.call(UpdateWorkflowRequest(workflow=Workflow(id=WORKFLOW.id, shared=True)))
    )
    writing = await inner.next_call(0)
    (before,) = await reads_in_flight(cached, inner, 1)
    writing.answer(Workflow(id=WORKFLOW.id, shared=True))
    await write
    (after,) = await reads_in_flight(cached, inner, 1)
    inner.calls[2].answer(Workflow(id=WORKFLOW.id, shared=True))
    assert (await after).shared
    inner.calls[1].answer(Workflow(id=WORKFLOW.id, shared=False))
    assert not (await before).shared
    assert (await read(cached)).shared


@pytest.mark.usefixtures("watch")
async def test_a_write_that_was_not_answered_may_have_happened(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    await read(cached)
    inner.hold()
    write = asyncio.create_task(cached.call(DeleteWorkflowRequest(id=WORKFLOW.id)))
    (await inner.next_call(1)).fail(DeadlineExceeded("no answer in time"))
    with pytest.raises(DeadlineExceeded):
        await write
    write = asyncio.create_task(cached.call(DeleteWorkflowRequest(id=WORKFLOW.id)))
    await inner.next_call(2)
    inner.hold(calls=False)
    assert await asked_again(cached, inner, [WORKFLOW] * 2) == [WORKFLOW]
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    assert await asked_again(cached, inner, [WORKFLOW] * 2) == [WORKFLOW]


# --- the end -----------------------------------------------------------------------------------


async def test_closing_ends_watches_and_flights_and_closes_the_source_within(
    cached: CachedDataSource, inner: ScriptedSource, watch: ScriptedWatch
) -> None:
    adas = await begin_watch(cached.acting_as("user_ada"), inner)
    inner.hold()
    reads = await reads_in_flight(cached, inner, 2)
    await cached.close()
    assert watch.ended
    assert adas.ended
    for reading in reads:
        with pytest.raises(NetworkError, match="closed before the answer came"):
            await reading
    assert inner.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await cached.close()


async def test_a_closed_source_hands_everything_on_and_opens_nothing(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    await cached.close()
    assert await asked_again(cached, inner, [WORKFLOW] * 2) == [WORKFLOW] * 2
    assert inner.watches == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_amid_a_pause_between_watches_ends_it(
    cached: CachedDataSource, inner: ScriptedSource
) -> None:
    inner.refuses_watches_with.append(AuthorizationFailed("not you"))
    await read(cached)
    await inner.next_watch()
    await cached.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def late_read(cached: CachedDataSource, inner: ScriptedSource) -> list[asyncio.Task[Any]]:
    """A read of an execution that is on its way, whatever is asked after it."""
    inner.hold()
    return await reads_in_flight(cached, inner, 1, LATE)


def fill_ids(message: Message, *, fill: bool = True) -> Iterator[str]:
    """Name something in each of a message's fields for an id, and tell what it names."""
    name = message.DESCRIPTOR.name.lower()
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE and fill:
            inner: Message = getattr(message, field.name)
            if inner.DESCRIPTOR.file.package == "symphony.v1":
                yield from fill_ids(inner)
        elif field.name.endswith("_id") and field.name != "request_id":
            if fill:
                setattr(message, field.name, f"{field.name.removesuffix('_id')}_1")
            yield getattr(message, field.name)
        elif field.name == "id":
            if fill:
                kind = next((kind for kind in KINDS if kind in name), "token")
                message.id = f"{kind}_1"  # type: ignore[attr-defined] # it has the field
            yield message.id  # type: ignore[attr-defined]
