"""What the two doors promise, for every store."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import psycopg
import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.change_log import Standing
from symphony_server.store.database import parse_url
from symphony_server.store.doors import Store
from symphony_server.store.migrate import migrate
from symphony_server.store.opening import store_at
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.transaction import Snapshot, Transaction
from tests import engines

ENGINES = engines.ALL

DISK_FULL = {
    engines.SQLITE: sqlite3.OperationalError("database or disk is full"),
    engines.POSTGRESQL: psycopg.errors.DiskFull("disk is full"),
}


@pytest.fixture
def address(database_url: str) -> DatabaseAddress:
    named = parse_url(database_url)
    migrate(named)
    return named


@pytest.fixture
async def store(address: DatabaseAddress) -> AsyncIterator[Store]:
    opened = store_at(address)
    opened.start()
    yield opened
    await opened.close()


def put(transaction: Transaction, name: str) -> str:
    transaction.keys.insert(name, name.encode())
    return name


async def test_what_is_written_is_read_by_both_read_doors(store: Store) -> None:
    assert await store.write(lambda t: put(t, "a")) == "a"
    assert await store.read(lambda s: s.keys.get("a")) == b"a"
    assert await store.point_read(lambda s: s.keys.get("a")) == b"a"


async def test_commands_that_arrive_together_share_a_commit(store: Store) -> None:
    names = [f"k{n}" for n in range(200)]
    before = store.batches
    done = await asyncio.gather(*(store.write(partial(put, name=n)) for n in names))
    assert done == names
    assert store.batches - before < 20


async def test_a_command_that_raises_leaves_nothing_and_harms_no_neighbour(
    store: Store,
) -> None:
    def refuse(transaction: Transaction) -> None:
        put(transaction, "lost")
        raise Refused([Violation(ErrorReason.ERROR_REASON_FIELD_INVALID, "no")])

    def fail(transaction: Transaction) -> None:
        put(transaction, "lost too")
        raise ZeroDivisionError

    results = await asyncio.gather(
        store.write(lambda t: put(t, "kept")),
        store.write(refuse),
        store.write(fail),
        store.write(lambda t: put(t, "kept too")),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "str",
        "Refused",
        "ZeroDivisionError",
        "str",
    ]
    kept = await store.read(
        lambda s: [n for n in ("kept", "lost", "lost too", "kept too") if s.keys.get(n)]
    )
    assert kept == ["kept", "kept too"]


async def test_a_caller_that_gives_up_before_its_command_starts_costs_nothing(
    store: Store,
) -> None:
    task = asyncio.ensure_future(store.write(lambda t: put(t, "never")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.write(lambda t: t.keys.get("never")) is None


async def test_a_database_that_fails_is_told_as_an_unknown_outcome_and_recovers(
    engine: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def disk_full(transaction: Transaction) -> None:
        put(transaction, "half")
        raise DISK_FULL[engine]

    results = await asyncio.gather(
        store.write(disk_full), store.write(lambda t: put(t, "other")), return_exceptions=True
    )
    assert all(isinstance(result, Refused) for result in results)
    refused = results[0]
    assert isinstance(refused, Refused)
    assert refused.first.reason_name == "STORE_UNAVAILABLE"
    assert "disk is full" not in refused.first.description
    assert "disk is full" in caplog.text
    assert await store.write(lambda t: put(t, "after")) == "after"
    assert await store.read(lambda s: s.keys.get("half")) is None


async def test_a_closed_store_refuses_and_finished_what_waited(address: DatabaseAddress) -> None:
    store = store_at(address)
    store.start()
    waiting = [asyncio.ensure_future(store.write(partial(put, name=str(n)))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*waiting) == [str(n) for n in range(50)]
    with pytest.raises(Refused) as caught:
        await store.write(lambda t: put(t, "late"))
    assert caught.value.first.reason_name == "SHUTTING_DOWN"


async def test_a_snapshot_does_not_see_what_is_written_meanwhile(store: Store) -> None:
    started, go_on = threading.Event(), threading.Event()

    def query(snapshot: Snapshot) -> tuple[bytes | None, bytes | None]:
        before = snapshot.keys.get("a")
        started.set()
        go_on.wait(10)
        return before, snapshot.keys.get("a")

    reading = asyncio.ensure_future(store.read(query))
    await asyncio.get_running_loop().run_in_executor(None, started.wait, 10)
    await store.write(lambda t: put(t, "a"))
    go_on.set()
    assert await reading == (None, None)


async def test_a_statement_that_fails_undoes_its_command_and_nothing_else(store: Store) -> None:
    await store.write(lambda t: put(t, "taken"))

    def insert_twice(transaction: Transaction) -> None:
        put(transaction, "lost")
        put(transaction, "taken")

    def go_on_after_it(transaction: Transaction) -> str:
        with suppress(Exception), transaction.savepoint():
            put(transaction, "taken")
        return put(transaction, "kept too")

    before = store.batches
    results = await asyncio.gather(
        store.write(lambda t: put(t, "kept")),
        store.write(insert_twice),
        store.write(go_on_after_it),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] in (
        ["str", "IntegrityError", "str"],
        ["str", "UniqueViolation", "str"],
    )
    assert store.batches > before
    names = ("kept", "lost", "kept too")
    assert await store.read(lambda s: [n for n in names if s.keys.get(n)]) == ["kept", "kept too"]


async def test_bytes_and_texts_come_back_as_they_were(store: Store) -> None:
    every_byte = bytes(range(256))
    await store.write(lambda t: t.keys.insert("€ \U0001f600", every_byte))
    for door in (store.read, store.point_read):
        found = await door(lambda s: s.keys.get("€ \U0001f600"))
        assert found == every_byte
        assert type(found) is bytes


async def test_a_long_change_log_is_read_as_it_is_asked_for(store: Store) -> None:
    changes = 2500

    def fill(transaction: Transaction) -> None:
        for number in range(changes):
            transaction.changes.append(
                kind=1,
                operation=1,
                resource_id=f"user_{number}",
                project_id=f"project_{number % 2}",
                request_id="",
                time_us=number,
                resource=b"large",
                standing=Standing(parent_id=f"user_{number % 4}"),
            )

    def read(snapshot: Snapshot) -> list[list[int]]:
        open_still = snapshot.changes.standings_since(0)
        first = next(open_still)
        ways = [
            snapshot.changes.standings_since(10),
            snapshot.changes.standings_since(10, "project_1"),
            snapshot.changes.standings_since(0, "project_1", "user_1"),
            snapshot.changes.standings_since(2, "project_1", "user_1"),
            snapshot.changes.standings_since(changes),
        ]
        return [[first.revision], *([entry.revision for entry in way] for way in ways)]

    await store.write(fill)
    for _ in range(2):
        below = range(6, changes + 1, 4)
        everything = [
            [1],
            [*range(11, changes + 1)],
            [*range(12, changes + 1, 2)],
            [2, *below],
            [*below],
            [],
        ]
        assert await store.read(read) == everything


async def test_a_command_that_fails_before_it_wrote_costs_its_batch_no_second_run(
    store: Store,
) -> None:
    runs: list[str] = []

    def kept(transaction: Transaction) -> str:
        runs.append("kept")
        return put(transaction, "a")

    def refused(transaction: Transaction) -> None:
        runs.append("refused")
        transaction.keys.get("a")
        raise Refused([Violation(ErrorReason.ERROR_REASON_DUPLICATE_NAME, "taken")])

    def failed_half_way(transaction: Transaction) -> None:
        runs.append("half")
        put(transaction, "b")
        raise ZeroDivisionError

    first = await asyncio.gather(store.write(kept), store.write(refused), return_exceptions=True)
    assert first[0] == "a"
    assert isinstance(first[1], Refused)
    assert runs == ["kept", "refused"]
    second = await asyncio.gather(
        store.write(lambda t: put(t, "c")), store.write(failed_half_way), return_exceptions=True
    )
    assert second[0] == "c"
    assert isinstance(second[1], ZeroDivisionError)
    assert runs[2:] == ["half", "half"]
    assert await store.read(lambda s: [n for n in "abc" if s.keys.get(n)]) == ["a", "c"]
