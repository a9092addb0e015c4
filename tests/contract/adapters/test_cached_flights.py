"""Who wants the same at the same time shares one call, and is no worse off for it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from symphony_client.adapters.cached import CachedDataSource
from symphony_client.errors import NotFound
from tests.contract.adapters.scripted_source import (
    KEPT,
    WORKFLOW,
    ScriptedSource,
    read,
    reads_in_flight,
    until,
)


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
