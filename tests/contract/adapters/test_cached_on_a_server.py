"""The cache over the real server: how current it is, and whom it serves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.project_pb2 import Project, ProjectRole
from symphony.v1.project_service_pb2 import (
    GetProjectConstraintsRequest,
    GetProjectRequest,
    RemoveProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_pb2 import User, UserState
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.channel_settings import ChannelSettings
from symphony_client.data_source import Answer, DataSource
from symphony_client.errors import AuthorizationFailed, NotFound
from tests.server.world import Person, World

CHANGES: Final = 100
SOON_SECONDS: Final = 1.0
"""An order of magnitude more than the change feed takes: machines are noisy."""
BETWEEN_READS_SECONDS: Final = 0.001


class Counting:
    """A `DataSource` that counts the calls it hands on."""

    def __init__(self, inner: DataSource) -> None:
        self._inner = inner
        self.calls = 0

    async def call(self, request: Message) -> Answer:
        self.calls += 1
        return await self._inner.call(request)

    def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        return self._inner.watch(request)

    def acting_as(self, user_id: str) -> DataSource:
        return self._inner.acting_as(user_id)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server, which stops before the test's loop is closed: grpc.aio polls for all loops of a
    process together, and complains when the end of a cancelled call comes to a closed one.
    """
    with World(tmp_path, rate_limits=False) as made:
        yield made


def source_of(world: World, person: Person) -> GrpcDataSource:
    return GrpcDataSource(ChannelSettings(target=world.server.target, token=person.secret))


@pytest.fixture
async def open_cache(world: World) -> AsyncIterator[Callable[[Person], CachedDataSource]]:
    """Caches over the server, each as a person has it."""
    opened: list[CachedDataSource] = []

    def open_one(person: Person) -> CachedDataSource:
        opened.append(CachedDataSource(source_of(world, person)))
        return opened[-1]

    yield open_one
    for source in opened:
        await source.close()


async def kept(source: CachedDataSource, request: Message) -> Any:
    """What is read, once it is answered from what is kept."""
    while True:
        hits = source.stats.hits
        answer = (await source.call(request)).message
        if source.stats.hits > hits:
            return answer
        await asyncio.sleep(BETWEEN_READS_SECONDS)


async def seconds_until(right: Callable[[], Awaitable[bool]]) -> float:
    """How long it takes from now until something is right."""
    began = time.perf_counter()
    while not await right():  # noqa: ASYNC110 # only reading tells
        await asyncio.sleep(BETWEEN_READS_SECONDS)
    return time.perf_counter() - began


OpenCache = Callable[[Person], CachedDataSource]


async def test_after_a_change_by_another_client_the_cache_is_soon_right(
    world: World, open_cache: OpenCache
) -> None:
    owner = world.user()
    project = world.project(owner)
    cached, other = open_cache(owner), source_of(world, owner)
    gets = (GetProjectRequest(id=project.id), GetProjectConstraintsRequest(project_id=project.id))
    took = []
    for number in range(1, CHANGES + 1):
        for get in gets:
            await kept(cached, get)
        change = Project(id=project.id)
        change.constraints.max_steps_per_workflow = number
        await other.call(UpdateProjectRequest(project=change))

        async def right(number: int = number) -> bool:
            whole, constraints = [(await cached.call(get)).message for get in gets]
            found = {whole.constraints.max_steps_per_workflow, constraints.max_steps_per_workflow}
            return found == {number}

        took.append(await seconds_until(right))
    await other.close()
    took.sort()
    milliseconds = [1000 * took[int(CHANGES * share)] for share in (0.5, 0.99)]
    print(f"\nright after a change: p50 {milliseconds[0]:.2f} ms, p99 {milliseconds[1]:.2f} ms")
    assert took[-1] < SOON_SECONDS
    assert cached.stats.hits >= 2 * CHANGES


async def test_a_write_through_the_cache_is_in_the_next_read(
    world: World, open_cache: OpenCache
) -> None:
    owner = world.user()
    project = world.project(owner)
    cached = open_cache(owner)
    get = GetProjectRequest(id=project.id)
    for number in range(20):
        await kept(cached, get)
        change = Project(id=project.id, description=f"the {number}th")
        await cached.call(UpdateProjectRequest(project=change))
        assert (await cached.call(get)).message.description == change.description


async def test_a_read_that_begins_after_the_answer_to_a_write_has_it_however_busy_it_is(
    world: World, open_cache: OpenCache
) -> None:
    owner = world.user()
    project = world.project(owner)
    cached = open_cache(owner)
    get = GetProjectConstraintsRequest(project_id=project.id)
    await kept(cached, get)
    answered = 0

    async def write() -> None:
        nonlocal answered
        for number in range(1, CHANGES + 1):
            change = Project(id=project.id)
            change.constraints.max_steps_per_workflow = number
            await cached.call(UpdateProjectRequest(project=change))
            answered = number

    async def keep_reading() -> None:
        while answered < CHANGES:
            at_least = answered
            found = (await cached.call(get)).message.max_steps_per_workflow
            assert found >= at_least
            await asyncio.sleep(0)

    await asyncio.gather(write(), *(keep_reading() for _ in range(10)))
    assert cached.stats.hits > CHANGES
    assert cached.stats.dropped > 0


async def test_a_removed_member_soon_reads_nothing_of_the_project(
    world: World, open_cache: OpenCache
) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, ProjectRole.PROJECT_ROLE_VIEWER)
    workflow = world.workflow(owner, project, shared=True)
    cached = open_cache(member)
    gets = (GetProjectRequest(id=project.id), GetWorkflowRequest(id=workflow.id))
    for get in gets:
        await kept(cached, get)
    request = RemoveProjectMemberRequest(project_id=project.id, user_id=member.id)
    owner.get(owner.projects.RemoveProjectMember, request)

    async def gone() -> bool:
        answers = await asyncio.gather(*map(cached.call, gets), return_exceptions=True)
        return [type(answer) for answer in answers] == [NotFound, NotFound]

    assert await seconds_until(gone) < SOON_SECONDS


async def test_a_user_is_never_served_what_another_was(world: World, open_cache: OpenCache) -> None:
    owner, stranger = world.user(), world.user()
    workflow = world.workflow(owner, world.project(owner))
    get = GetWorkflowRequest(id=workflow.id)
    cached = open_cache(world.admin)
    as_owner, as_stranger = cached.acting_as(owner.id), cached.acting_as(stranger.id)
    for source in (cached, as_owner):
        assert await kept(source, get) == workflow
    for _ in range(3):
        with pytest.raises(NotFound):
            await as_stranger.call(get)
        assert await kept(as_owner, get) == workflow


async def test_a_suspended_user_is_soon_served_nothing(world: World, open_cache: OpenCache) -> None:
    owner = world.user()
    project = world.project(owner)
    cached = open_cache(owner)
    get = GetProjectRequest(id=project.id)
    await kept(cached, get)
    suspended = User(id=owner.id, state=UserState.USER_STATE_SUSPENDED)
    world.admin.get(world.admin.users.UpdateUser, UpdateUserRequest(user=suspended))

    async def refused() -> bool:
        try:
            await cached.call(get)
        except AuthorizationFailed:
            return True
        return False

    # The server takes up to a second to end a Watch (RECHECK_SECONDS).
    assert await seconds_until(refused) < 1 + SOON_SECONDS


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_hundred_concurrent_misses_make_one_call(world: World, is_live: bool) -> None:
    owner = world.user()
    project = world.project(owner)
    workflow = world.workflow(owner, project)
    counting = Counting(source_of(world, owner))
    cached = CachedDataSource(counting)
    if is_live:
        await kept(cached, GetProjectRequest(id=project.id))
    before = counting.calls
    get = GetWorkflowRequest(id=workflow.id)
    answers = await asyncio.gather(*(cached.call(get) for _ in range(100)))
    assert counting.calls == before + 1
    assert all(answer.message == workflow for answer in answers)
    await cached.close()


async def test_closing_amid_reads_leaves_nothing_behind(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    cached = CachedDataSource(source_of(world, owner))
    await kept(cached, GetProjectRequest(id=project.id))
    reads = [
        asyncio.create_task(cached.call(GetProjectConstraintsRequest(project_id=project.id)))
        for _ in range(10)
    ]
    await asyncio.sleep(0)
    await cached.close()
    await cached.close()
    await asyncio.gather(*reads, return_exceptions=True)
    left = " ".join(map(repr, asyncio.all_tasks()))
    for own in ("Flight.", "Watching.", "CachedDataSource."):
        assert own not in left
