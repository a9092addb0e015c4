"""What the doors promise when other servers write to the database, or it fails."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

import psycopg
import pytest

from symphony_server.audit_verification import verify_log
from symphony_server.refusal import Refused
from symphony_server.store.change_log import Standing
from symphony_server.store.database import parse_url
from symphony_server.store.doors import Store
from symphony_server.store.opening import store_at
from symphony_server.store.postgresql import CHANNEL, PostgresqlAddress, PostgresqlSession
from symphony_server.store.session import DatabaseUnusable
from symphony_server.store.transaction import Snapshot, Transaction
from tests.contract.store.audit_world import new_record
from tests.postgresql import Postgresql, running

T = TypeVar("T")
WAIT_SECONDS = 10


@pytest.fixture
def url(postgresql: Postgresql) -> Iterator[str]:
    with postgresql.migrated() as url:
        yield url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        yield store


@asynccontextmanager
async def opened(url: str, **settings: object) -> AsyncIterator[Store]:
    """A store; `settings` are those of its sessions."""
    store = store_at(address_of(url, **settings))
    store.start()
    try:
        yield store
    finally:
        await store.close()


def address_of(url: str, **settings: object) -> PostgresqlAddress:
    options = "%20".join(f"-c%20{name}%3D{value}" for name, value in settings.items())
    address = parse_url(f"{url}&options={options}" if settings else url)
    assert isinstance(address, PostgresqlAddress)
    return address


def put(transaction: Transaction, name: str) -> str:
    transaction.keys.insert(name, name.encode())
    return name


async def unavailable(store: Store, command: Callable[[Transaction], Any]) -> None:
    with pytest.raises(Refused) as caught:
        await store.write(command)
    assert caught.value.first.reason_name == "STORE_UNAVAILABLE"


async def names(store: Store, *wanted: str) -> list[str]:
    """Those that are there, by both doors."""

    def query(snapshot: Snapshot) -> list[str]:
        return [name for name in wanted if snapshot.keys.get(name)]

    found = await store.read(query)
    assert await store.point_read(query) == found
    return found


def execute(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else None


@pytest.fixture
def write_lock(url: str) -> Iterator[Callable[[], None]]:
    """Holds the lock that every batch takes, as another server; call it to give the lock back."""
    session = address_of(url).open(read_only=False)
    with closing(session):
        session.begin_batch()
        yield session.commit


async def test_another_servers_changes_are_heard_of_once_they_can_be_read(
    store: Store, url: str
) -> None:
    heard: asyncio.Queue[None] = asyncio.Queue()
    store.committed = lambda: heard.put_nowait(None)

    def change(transaction: Transaction) -> int:
        transaction.changes.append(
            kind=1,
            operation=1,
            resource_id="user_1",
            project_id="",
            request_id="",
            time_us=1,
            resource=b"",
            standing=Standing(),
        )
        return transaction.changes.revision

    async with opened(url) as other:
        for _ in range(3):
            revision = await other.write(change)
            async with asyncio.timeout(WAIT_SECONDS):
                while await store.point_read(lambda s: s.changes.last()) < revision:
                    await heard.get()


async def test_connections_that_were_ended_are_replaced_unnoticed(store: Store, url: str) -> None:
    await store.write(lambda t: put(t, "before"))
    assert await names(store, "before") == ["before"]
    execute(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'symphony' AND datname = current_database()",
    )
    await store.write(lambda t: put(t, "after"))
    assert await names(store, "after") == ["after"]


async def test_a_batch_that_could_not_commit_is_run_again_and_leaves_one_trace(
    store: Store,
) -> None:
    fails = iter([psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])

    def command(transaction: Transaction) -> int:
        put(transaction, "once")
        transaction.audit.append(new_record())
        failure = next(fails, None)
        if failure is not None:
            raise failure("try again")
        return transaction.audit.size

    def neighbour(transaction: Transaction) -> int:
        transaction.audit.append(new_record())
        return transaction.audit.size

    await store.write(neighbour)
    assert [*await asyncio.gather(store.write(neighbour), store.write(command))] == [2, 3]
    assert await store.write(neighbour) == 4
    verdict = await store.read(lambda s: verify_log(s.audit))
    assert (verdict.fault, verdict.size) == (None, 4)


async def test_a_batch_is_not_tried_for_ever(store: Store) -> None:
    runs = []

    def command(transaction: Transaction) -> None:
        runs.append(put(transaction, "never"))
        raise psycopg.errors.SerializationFailure("try again")

    await unavailable(store, command)
    assert len(runs) == PostgresqlAddress.attempts
    assert await store.write(lambda t: t.keys.get("never")) is None


async def test_a_commit_that_failed_may_have_happened_and_is_not_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = PostgresqlSession.commit

    def lost(session: PostgresqlSession) -> None:
        commit(session)
        raise psycopg.OperationalError("the connection was lost")

    runs = []
    monkeypatch.setattr(PostgresqlSession, "commit", lost)
    await unavailable(store, lambda t: runs.append(put(t, "there")))
    monkeypatch.undo()
    assert runs == ["there"]
    assert await store.write(lambda t: t.keys.get("there")) == b"there"


async def test_a_commit_may_take_as_long_as_it_takes(url: str) -> None:
    # As with a standby that does not answer, but for the wait's being in a trigger.
    execute(
        url,
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(0.6); RETURN NEW; END';"
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON server_keys DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION wait()",
    )
    async with opened(url, statement_timeout=200, lock_timeout=200) as store:
        assert await store.write(lambda t: put(t, "a")) == "a"
        assert await store.write(lambda t: t.keys.get("a")) == b"a"


@pytest.mark.parametrize("end", ["pg_cancel_backend(pid)", "pg_terminate_backend(pid)"])
async def test_a_commit_that_somebody_cuts_off_while_it_waits_for_a_standby_is_no_success(
    end: str,
) -> None:
    # A standby that is never there, and one store that waits for it.
    with running(synchronous_standby_names="nobody", synchronous_commit="local") as server:
        url = server.migrated_database()
        async with opened(url, synchronous_commit="on") as store, opened(url) as other:
            waiting = asyncio.ensure_future(unavailable(store, lambda t: put(t, "unsure")))
            cut_off = f"SELECT {end} FROM pg_stat_activity WHERE wait_event = 'SyncRep'"  # noqa: S608
            async with asyncio.timeout(WAIT_SECONDS):
                while not await asyncio.to_thread(server.execute, cut_off):
                    assert not waiting.done()
            await waiting
            assert await other.write(lambda t: put(t, "after")) == "after"
            assert await names(store, "unsure", "after") == ["unsure", "after"]


async def test_a_commit_of_what_was_rolled_back_is_no_success(url: str) -> None:
    with closing(address_of(url).open(read_only=False)) as session:
        session.begin_batch()
        with pytest.raises(psycopg.errors.DivisionByZero):
            session.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.OperationalError, match="ROLLBACK"):
            session.commit()


async def test_a_lock_that_is_not_given_back_in_time_is_told_and_nothing_is_written(
    url: str, write_lock: Callable[[], None]
) -> None:
    async with opened(url, lock_timeout=100) as store:
        await unavailable(store, lambda t: put(t, "never"))
        assert await store.read(lambda s: s.keys.get("never")) is None
        write_lock()
        assert await store.write(lambda t: put(t, "after")) == "after"


async def test_a_server_that_stopped_amid_a_batch_loses_the_lock(store: Store, url: str) -> None:
    stopped = address_of(url, idle_in_transaction_session_timeout=300).open(read_only=False)
    with closing(stopped):
        transaction = Transaction(stopped)
        transaction.begin()
        put(transaction, "half")
        assert await store.write(lambda t: put(t, "whole")) == "whole"
        with pytest.raises(psycopg.Error) as caught:
            transaction.seal()
        assert stopped.ended_by(caught.value)
    assert await store.read(lambda s: s.keys.get("half")) is None


async def test_reading_waits_for_no_writer(store: Store, write_lock: Callable[[], None]) -> None:
    waiting = asyncio.ensure_future(store.write(lambda t: put(t, "a")))
    assert await names(store, "a") == []
    assert not waiting.done()
    write_lock()
    assert await waiting == "a"


async def test_a_point_read_does_not_hold_up_the_event_loop(store: Store) -> None:
    go_on = threading.Event()

    def query(_: Snapshot) -> bool:
        return go_on.wait(WAIT_SECONDS)

    reading = asyncio.ensure_future(store.point_read(query))
    await asyncio.sleep(0)  # so that it has begun
    go_on.set()
    assert await reading


async def test_queries_cannot_write(store: Store) -> None:
    with pytest.raises(Refused):
        await store.read(lambda s: s.keys.insert("a", b"a"))
    with pytest.raises(Refused):
        await store.point_read(lambda s: s.keys.insert("a", b"a"))
    assert await names(store, "a") == []


async def test_a_database_that_crashed_is_used_again_once_it_is_back() -> None:
    with running() as server:
        url = server.migrated_database()
        async with opened(url) as store:
            await store.write(lambda t: put(t, "before"))
            server.stop(how=signal.SIGQUIT)
            await unavailable(store, lambda t: put(t, "lost"))
            with pytest.raises(Refused):
                await store.read(lambda s: s.keys.get("before"))
            with pytest.raises(Refused):
                await store.point_read(lambda s: s.keys.get("before"))
            server.start()
            assert await store.write(lambda t: put(t, "after")) == "after"
            assert await names(store, "before", "lost", "after") == ["before", "after"]
            heard = asyncio.Event()
            store.committed = heard.set
            async with asyncio.timeout(WAIT_SECONDS):
                while not heard.is_set():
                    await asyncio.to_thread(execute, url, f"NOTIFY {CHANNEL}")


async def test_of_several_hosts_the_one_that_answers_is_used(
    postgresql: Postgresql, url: str
) -> None:
    several = url.replace("host=", f"host={postgresql.directory / 'nobody'},")
    async with opened(several) as store:
        await store.write(lambda t: put(t, "a"))
        assert await store.read(lambda s: s.keys.get("a")) == b"a"


def test_a_database_in_another_encoding_is_refused(postgresql: Postgresql) -> None:
    postgresql.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING latin1 LOCALE 'C'")
    with pytest.raises(DatabaseUnusable, match="LATIN1; it must be UTF8"):
        parse_url(postgresql.url("latin")).open(read_only=True)


def test_every_text_is_compared_byte_by_byte(url: str) -> None:
    columns = execute(
        url,
        "SELECT collation_name, count(*) FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text' GROUP BY 1",
    )
    assert [name for name, _ in columns] == ["C"]


def test_a_session_bounds_how_long_it_waits_and_holds_unless_the_url_says_otherwise(
    url: str,
) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    def shown(address: PostgresqlAddress) -> list[str]:
        with closing(address.open(read_only=False)) as session:
            return [session.execute(f"SHOW {name}").fetchone()[0] for name in names]

    assert shown(address_of(url)) == ["30s", "10s", "5s"]
    assert shown(address_of(url, lock_timeout="7s")) == ["30s", "7s", "5s"]
