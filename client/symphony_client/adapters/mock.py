"""`mock`: everything in memory and the same at every run, for the unit tests of applications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.workflow_pb2 import Workflow
from symphony_client.contract_methods import method_of
from symphony_client.data_source import Answer
from symphony_client.errors import DataError
from symphony_client.mock_world.answering import answer
from symphony_client.mock_world.checks import acted_for
from symphony_client.mock_world.refusals import Refused
from symphony_client.mock_world.seeding import caller_of, place
from symphony_client.mock_world.structure import check_structure
from symphony_client.mock_world.world import World

RequestT = TypeVar("RequestT", bound=Message)


class MockDataSource:
    """A `DataSource` in memory, to be filled and made to fail by tests.

    >>> source = MockDataSource().with_user(User(name="Ada", email="ada@example.com"))
    >>> data = DataAccess(source.with_error(NetworkError("down"), GetWorkflowRequest))

    Two that are told the same say the same: ids are counted and time moves on by 1 ms a write,
    from 2026 on. What breaks the contract's rules, is absent, taken, stale or in use is refused
    as by the server. Roles, tiers, permissions, project constraints, the graph of steps and the
    scan of manifests are not judged: for those use the `local` data source, which is the server.

    The first user is the caller, who owns what it makes. Where something else comes first, a
    resource or a call, the caller is a default user. The `with_` methods change this source and
    return it.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._told = _Told()
        self._acts_for = ""

    def with_user(self, user: User, capabilities: UserCapabilities | None = None) -> Self:
        """This source with a user in it; by default the user is told to be capable of all."""
        placed = place(self._told.world, user)
        if capabilities is not None:
            kept = self._told.world.capabilities[placed.id] = UserCapabilities()
            kept.CopyFrom(capabilities)
        return self

    def with_project(self, project: Project) -> Self:
        """This source with a project in it, of which the caller is the OWNER by default."""
        return self.with_resource(project)

    def with_workflow(self, workflow: Workflow) -> Self:
        """This source with a workflow in it, the caller's by default."""
        return self.with_resource(workflow)

    def with_resource(self, resource: Message) -> Self:
        """This source with any resource in it, in the place of one with the same id.

        What is left empty and the server would set is filled in: id, times, etag, owner, state.
        Whether what it refers to is there is not asked.

        Raises:
            PreValidationFailed: it breaks the contract's rules, for example of ids.
        """
        place(self._told.world, resource)
        return self

    def with_error(self, error: DataError, *request_types: type[Message]) -> Self:
        """This source with all calls and watches raising an error, or those of some requests,
        until `without_error()`. For one kind of request the last error given holds.
        """
        for request_type in request_types or (Message,):
            self._told.errors[request_type] = error
        return self

    def without_error(self) -> Self:
        """This source answering again, whatever errors it was told to raise."""
        self._told.errors.clear()
        return self

    @property
    def calls(self) -> Sequence[Any]:
        """The requests received so far, watches and those that were refused among them, from
        all who act on this source.
        """
        return tuple(self._told.calls)

    async def call(self, request: Message) -> Answer:
        """See `DataSource.call`."""
        method = method_of(request)
        if method.answers_with_stream:
            raise TypeError(f"{method.name} answers with a stream: use watch()")
        noted = self._note(request)
        # As with any source others may run meanwhile, so that tests meet what that brings about.
        await asyncio.sleep(0)
        with _raising_data_errors():
            return answer(self._told.world, self._user_of(noted), noted)

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """See `DataSource.watch`. Checkpoints come at the start and after changes, not with time;
        changes are sent whoever may read what they are about.
        """
        noted = self._note(request)
        with _raising_data_errors():
            self._user_of(noted)
            async for response in self._told.world.feed.follow(noted):
                yield response

    def drop_watches(self) -> None:
        """End every open watch with a NetworkError, as a connection that broke does."""
        self._told.world.feed.drop()

    def forget_changes(self) -> None:
        """Keep no change made so far: to watch from before now raises Conflict, with the reason
        REVISION_COMPACTED.
        """
        self._told.world.feed.compact()

    def acting_as(self, user_id: str) -> MockDataSource:
        """See `DataSource.acting_as`; whatever role the caller has."""
        other = MockDataSource.__new__(MockDataSource)
        other._told = self._told
        other._acts_for = user_id
        return other

    async def close(self) -> None:
        """End the watches. What it holds and what it received can still be asked for."""
        self.drop_watches()

    def _note(self, request: RequestT) -> RequestT:
        noted = type(request)()
        noted.CopyFrom(request)
        self._told.calls.append(noted)
        return noted

    def _user_of(self, request: Message) -> str:
        """The id of the user for whom a request is, unless it is to fail."""
        told = self._told
        error = told.errors.get(type(request), told.errors.get(Message))
        if error is not None:
            raise error.with_traceback(None)
        check_structure(request)
        caller_id = caller_of(told.world)
        return acted_for(told.world, self._acts_for) if self._acts_for else caller_id


class _Told:
    """What a source was told, shared by all who act on it."""

    def __init__(self) -> None:
        self.world = World()
        self.errors: dict[type[Message], DataError] = {}
        self.calls: list[Message] = []


@contextmanager
def _raising_data_errors() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise refused.error() from None
