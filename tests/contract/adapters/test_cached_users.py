"""Nobody is served what was kept for another."""

from __future__ import annotations

import asyncio

import pytest

from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.cache import watches as watches_module
from symphony_client.errors import NotFound
from tests.contract.adapters.scripted_source import (
    WORKFLOW,
    Clock,
    ScriptedSource,
    begin_watch,
    read,
    until,
)


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
