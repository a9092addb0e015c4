"""A cache that is closed leaves nothing behind, and hands on what it is asked."""

from __future__ import annotations

import asyncio

import pytest

from symphony_client.adapters.cached import CachedDataSource
from symphony_client.errors import AuthorizationFailed, NetworkError
from tests.contract.adapters.cache_reads import asked_again
from tests.contract.adapters.scripted_source import (
    WORKFLOW,
    ScriptedSource,
    ScriptedWatch,
    begin_watch,
    read,
    reads_in_flight,
)


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
