"""A mock tells of every change in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony_client.accesses.projects import Projects
from symphony_client.adapters.mock import MockDataSource
from symphony_client.errors import Conflict, NetworkError
from tests.contract.adapters.small_world import ADA, EMPTY, ENDED, RUN, USER, fill, told


async def test_a_watch_tells_every_change_in_order_and_where_it_has_got_to() -> None:
    source = MockDataSource().with_user(ADA)
    watch = source.watch(WatchRequest())
    assert (await anext(watch)).checkpoint.revision == 1

    async def next_ones(count: int) -> list[Any]:
        return [await anext(watch) for _ in range(count)]

    waiting = asyncio.create_task(next_ones(3))
    project = await Projects(source).save(Project(name="Mine"))
    made, owner, checkpoint = await waiting
    assert (made.change.project, made.change.revision) == (project, 2)
    assert owner.change.resource_id == f"{project.id}/{USER}"
    assert checkpoint.checkpoint.revision == 3

    await Projects(source).delete(project.id)
    *gone, checkpoint = await next_ones(3)
    assert {g.change.operation for g in gone} == {ChangeOperation.CHANGE_OPERATION_DELETED}
    assert not any(g.change.WhichOneof("resource") for g in gone)
    await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_of_some_kinds_or_projects_passes_over_the_others() -> None:
    source = MockDataSource()
    await fill(source)
    newest = (await told(source, 1))[0].checkpoint.revision
    runs = await told(source, 4, start_revision=1, kinds=[ResourceKind.RESOURCE_KIND_EXECUTION])
    assert [r.change.resource_id for r in runs[:3]] == [RUN, ENDED, ENDED]
    assert runs[3].checkpoint.revision == newest
    empty = await told(source, 3, start_revision=1, project_ids=[EMPTY])
    assert [r.change.resource_id.partition("/")[0] for r in empty[:2]] == [EMPTY, EMPTY]
    assert empty[2].checkpoint.revision == newest


async def test_dropped_watches_end_and_resume_where_they_were() -> None:
    source = MockDataSource().with_user(ADA)
    watch = source.watch(WatchRequest())
    known = (await anext(watch)).checkpoint.revision
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.wait([waiting], timeout=0)
    source.drop_watches()
    with pytest.raises(NetworkError, match="dropped"):
        await waiting
    await source.call(CreateProjectRequest(name="Meanwhile"))
    resumed = await told(source, 2, start_revision=known)
    assert [response.change.revision for response in resumed] == [known + 1, known + 2]


async def test_changes_that_are_forgotten_or_yet_to_come_cannot_be_watched_from() -> None:
    source = MockDataSource()
    await fill(source)
    newest = (await told(source, 1))[0].checkpoint.revision
    source.forget_changes()
    for revision in (newest - 1, newest + 1):
        with pytest.raises(Conflict) as caught:
            await told(source, 1, start_revision=revision)
        assert caught.value.reason == "REVISION_COMPACTED"
        assert caught.value.metadata == {"compact_revision": str(newest)}
    assert (await told(source, 1, start_revision=newest))[0].checkpoint.revision == newest
