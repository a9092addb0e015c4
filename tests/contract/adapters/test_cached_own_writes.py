"""After a write nobody is served what it may have changed, whatever was under way before it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, GetExecutionRequest
from symphony.v1.project_service_pb2 import RemoveProjectMemberRequest
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.contract_methods import contract_methods
from symphony_client.data_source import Answer
from symphony_client.errors import DeadlineExceeded
from tests.contract.adapters.cache_reads import LATE, asked_again, late_read
from tests.contract.adapters.scripted_source import (
    KEPT,
    WORKFLOW,
    ScriptedSource,
    begin_watch,
    read,
    reads_in_flight,
)

KINDS = ("user", "project", "workflow", "extension", "execution")
WRITES = [method.request for method in contract_methods().values() if method.writes]


async def write_during_a_read(
    cached: CachedDataSource, inner: ScriptedSource, write: Message, late: Message | None = None
) -> None:
    """Write once everything is kept, while LATE is read; it is answered after the write."""
    await asked_again(cached, inner)
    (reading,) = await late_read(cached, inner)
    inner.hold(calls=False)
    await cached.call(write)
    inner.calls[-2].answer(late)
    await reading


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
    await write_during_a_read(cached, inner, write)
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
    late = Execution(id=LATE.id, workflow_id="workflow_1")
    await write_during_a_read(cached, inner, write, late)
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
