"""A data source that answers when it is told to, and tells of changes when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.change_pb2 import Change, ChangeOperation, Checkpoint
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony.v1.extension_service_pb2 import GetExtensionRequest
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest, GetProjectRequest
from symphony.v1.user_service_pb2 import GetUserRequest
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.contract_methods import method_of
from symphony_client.data_source import Answer

WORKFLOW: Final = GetWorkflowRequest(id="workflow_1")
KEPT: Final = (
    GetUserRequest(id="user_1"),
    GetProjectRequest(id="project_1"),
    GetProjectConstraintsRequest(project_id="project_1"),
    WORKFLOW,
    GetExtensionRequest(id="extension_1"),
    GetExecutionRequest(id="execution_1"),
)
"""The reads whose answers are kept."""
CHECKPOINT: Final = WatchResponse(checkpoint=Checkpoint(revision=1))
END: Final = None


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop turn until something is so; the test's timeout is the limit."""
    while not condition():  # noqa: ASYNC110 # what is waited for has no event of its own
        await asyncio.sleep(0)


class Clock:
    """The time, which passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class ScriptedCall:
    """A call that waits for its answer."""

    user: str | None
    request: Any
    answered: asyncio.Future[Message] = field(default_factory=asyncio.Future)

    def answer(self, message: Message | None = None) -> None:
        self.answered.set_result(answer_to(self.request) if message is None else message)

    def fail(self, error: BaseException) -> None:
        self.answered.set_exception(error)

    @property
    def given_up(self) -> bool:
        return self.answered.cancelled()


class ScriptedWatch:
    """A Watch that somebody opened."""

    def __init__(self, user: str | None, request: WatchRequest) -> None:
        self.user = user
        self.request = request
        self.ended = False
        self._told: asyncio.Queue[WatchResponse | BaseException | None] = asyncio.Queue()

    async def tell(self, *told: WatchResponse | BaseException | None) -> None:
        """Send messages, an error or the END, and return when they have been heard."""
        for one in told:
            self._told.put_nowait(one)
        await self._told.join()

    async def change(self, resource_id: str, operation: str = "UPDATED") -> None:
        number = ChangeOperation.Value(f"CHANGE_OPERATION_{operation}")
        change = Change(revision=2, resource_id=resource_id, operation=number)
        await self.tell(WatchResponse(change=change))

    async def responses(self) -> AsyncIterator[WatchResponse]:
        try:
            while True:
                told = await self._told.get()
                try:
                    if told is END:
                        return
                    if isinstance(told, BaseException):
                        raise told
                    yield told
                finally:
                    self._told.task_done()
        finally:
            self.ended = True


class ScriptedSource:
    """A `DataSource` whose calls and Watches are lists; those of whom it acts for are in them.

    Calls are answered at once, unless they are `held`.
    """

    def __init__(self) -> None:
        self.user: str | None = None
        self.calls: list[ScriptedCall] = []
        self.watches: list[ScriptedWatch] = []
        self.held = [False]
        self.refuses_watches_with: list[Exception] = []
        self.closed = 0

    async def call(self, request: Message) -> Answer:
        call = ScriptedCall(self.user, request)
        self.calls.append(call)
        if not self.held[0]:
            call.answer()
        return Answer(await call.answered, 7 if method_of(request).writes else None)

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        watch = ScriptedWatch(self.user, request)
        self.watches.append(watch)
        if self.refuses_watches_with:
            raise self.refuses_watches_with[0]
        async for response in watch.responses():
            yield response

    def acting_as(self, user_id: str) -> ScriptedSource:
        other = ScriptedSource()
        other.user = user_id
        other.calls, other.watches, other.held = self.calls, self.watches, self.held
        return other

    async def close(self) -> None:
        self.closed += 1

    def hold(self, *, calls: bool = True) -> None:
        self.held[0] = calls

    async def next_call(self, after: int) -> ScriptedCall:
        """The call made next, when so many had been made before."""
        await until(lambda: len(self.calls) > after)
        return self.calls[after]

    async def next_watch(self, after: int = 0) -> ScriptedWatch:
        """The Watch opened next, when so many had been opened before."""
        await until(lambda: len(self.watches) > after)
        return self.watches[after]


async def begin_watch(
    source: CachedDataSource, inner: ScriptedSource, request: Message = WORKFLOW
) -> ScriptedWatch:
    """Read something, so that the user's Watch is opened, and let it become live."""
    before = len(inner.watches)
    await source.call(request)
    watch = await inner.next_watch(before)
    await watch.tell(CHECKPOINT)
    inner.calls.clear()
    return watch


async def read(source: CachedDataSource, request: Message = WORKFLOW) -> Any:
    return (await source.call(request)).message


async def reads_in_flight(
    source: CachedDataSource, inner: ScriptedSource, number: int, request: Message = WORKFLOW
) -> list[asyncio.Task[Any]]:
    """So many reads, begun together, of which the first call is on its way."""
    before = len(inner.calls)
    reads = [asyncio.create_task(read(source, request)) for _ in range(number)]
    await inner.next_call(before)
    return reads


def answer_to(request: Any) -> Message:
    """What is asked for, with the id that it was asked by."""
    response = method_of(request).response()
    if isinstance(request, GetExecutionRequest):
        return Execution(id=request.id, workflow_id="workflow_1")
    if isinstance(response, ProjectConstraints):
        return ProjectConstraints(max_steps_per_workflow=7)
    if "id" in response.DESCRIPTOR.fields_by_name:
        setattr(response, "id", getattr(request, "id", ""))  # noqa: B010 # not in every message
    return response
