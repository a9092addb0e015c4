"""What the two doors promise, for every store."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.migrate import migrate
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.sqlite_store import SqliteStore
from symphony_server.store.transaction import Snapshot, Transaction


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    file = SqliteFile(tmp_path / "x.db")
    migrate(file)
    opened = SqliteStore(file)
    opened.start()
    yield opened
    await opened.close()


def put(transaction: Transaction, name: str) -> str:
    transaction.keys.insert(name, name.encode())
    return name


async def test_what_is_written_is_read_by_both_read_doors(store: SqliteStore) -> None:
    assert await store.write(lambda t: put(t, "a")) == "a"
    assert await store.read(lambda s: s.keys.get("a")) == b"a"
    assert await store.point_read(lambda s: s.keys.get("a")) == b"a"


async def test_commands_that_arrive_together_share_a_commit(store: SqliteStore) -> None:
    names = [f"k{n}" for n in range(200)]
    before = store.batches
    done = await asyncio.gather(*(store.write(partial(put, name=n)) for n in names))
    assert done == names
    assert store.batches - before < 20


async def test_a_command_that_raises_leaves_nothing_and_harms_no_neighbour(
    store: SqliteStore,
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
    store: SqliteStore,
) -> None:
    task = asyncio.ensure_future(store.write(lambda t: put(t, "never")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.write(lambda t: t.keys.get("never")) is None


async def test_a_database_that_fails_is_told_as_an_unknown_outcome_and_recovers(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    def disk_full(transaction: Transaction) -> None:
        put(transaction, "half")
        raise sqlite3.OperationalError("database or disk is full")

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


async def test_a_closed_store_refuses_and_finished_what_waited(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "x.db")
    migrate(file)
    store = SqliteStore(file)
    store.start()
    waiting = [asyncio.ensure_future(store.write(partial(put, name=str(n)))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*waiting) == [str(n) for n in range(50)]
    with pytest.raises(Refused) as caught:
        await store.write(lambda t: put(t, "late"))
    assert caught.value.first.reason_name == "SHUTTING_DOWN"


async def test_a_snapshot_does_not_see_what_is_written_meanwhile(store: SqliteStore) -> None:
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
