"""While nobody tells of changes nothing is kept, and a Watch that is lost is opened again."""

from __future__ import annotations

import asyncio
import logging

import pytest

from symphony.v1.workflow_pb2 import Workflow
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.cache import watching as watching_module
from symphony_client.cache.watching import pause_seconds
from symphony_client.errors import (
    AuthorizationFailed,
    Conflict,
    DeadlineExceeded,
    NetworkError,
    OperationNotSupported,
)
from tests.contract.adapters.cache_reads import asked_again
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


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches are opened again without a pause."""
    monkeypatch.setattr(watching_module, "FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr(watching_module, "REFUSED_PAUSE_SECONDS", 0)


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
