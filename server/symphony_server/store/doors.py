"""The two doors of the store: `write` for commands, `read` for queries.

A command does everything that must be atomic. Commands that arrive while one batch runs
form the next: the writer thread begins a transaction, runs each command in a savepoint,
commits once (group commit) and hands all results back to the event loop in one call. No
answer leaves before its commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from peewee import SqliteDatabase

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.database import DatabaseUnusable, SqliteFile
from symphony_server.store.transaction import Snapshot, Transaction

_log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_BATCH: Final = 128
"""Commands in one transaction: bounds how long the first of a batch waits for the last."""
MAX_QUEUED: Final = 4096
"""Commands that may wait; more are refused as OVERLOADED instead of waiting in vain."""
READ_THREADS: Final = 2


class Store(Protocol):
    """What the use cases see of the store."""

    async def write(self, command: Callable[[Transaction], T]) -> T:
        """Run a command in a transaction and return its result once it is durable.

        `command` is plain synchronous code, called in another thread. What it raises is
        raised here, and everything it did is undone. Raises Refused with
        STORE_UNAVAILABLE when the database fails, in which case the outcome is unknown,
        and with OVERLOADED when too many commands wait. A caller that is cancelled before
        its command starts costs nothing; after that the command commits all the same.
        """

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """Run a query of any length on one snapshot. Never blocks a writer."""

    async def point_read(self, query: Callable[[Snapshot], T]) -> T:
        """Run a query that reads a handful of rows by key. Each statement of it sees every
        write answered before.
        """


def store_unavailable(cause: BaseException) -> Refused:
    """The refusal for a database that failed; the cause goes to the log only."""
    _log.error("the database failed", exc_info=cause)
    return Refused(
        [
            Violation(
                ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
                "the database did not answer, so it is unknown whether anything was written; "
                "retry with the same request_id",
            )
        ],
        retry_after_seconds=1.0,
    )


class _Command:
    __slots__ = ("future", "outcome", "raised", "run")

    def __init__(self, run: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        self.run = run
        self.future = future
        self.outcome: Any = None
        self.raised: BaseException | None = None


class SqliteStore:
    """The doors to one SQLite file: a writer thread, a few reader threads, and a connection
    of the event loop's own for point reads.
    """

    def __init__(self, file: SqliteFile) -> None:
        """Prepare for a migrated database; `start` opens it."""
        self._file = file
        self._queue: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="store-read")
        self._local = threading.local()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop
        self._point_database: SqliteDatabase
        self._point: Snapshot
        self._writer = threading.Thread(target=self._write_batches, name="store-write")
        self.committed: Callable[[], None] = _nobody
        """Called on the event loop after each commit, once its results are handed out."""
        self.batches = 0
        """How many transactions were committed, for the metrics."""

    def start(self) -> None:
        """Open the connections; to be called on the event loop's thread."""
        self._loop = asyncio.get_running_loop()
        self._point_database = self._file.open(read_only=True)
        self._point = Snapshot(self._point_database, self._point_database.connection())
        self._writer.start()

    async def close(self) -> None:
        """Finish the commands that wait, then close every connection."""
        if self._closing:
            return
        self._closing = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        self._point_database.close()

    async def write(self, command: Callable[[Transaction], T]) -> T:
        """See `Store.write`."""
        if self._closing:
            raise Refused(
                [
                    Violation(
                        ErrorReason.ERROR_REASON_SHUTTING_DOWN,
                        "the server is stopping; retry with the same request_id",
                    )
                ],
                retry_after_seconds=1.0,
            )
        if self._queue.qsize() >= MAX_QUEUED:
            raise Refused(
                [
                    Violation(
                        ErrorReason.ERROR_REASON_OVERLOADED,
                        f"{MAX_QUEUED} writes wait already; retry later",
                    )
                ],
                retry_after_seconds=1.0,
            )
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Command(command, future))
        return await future

    async def point_read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.point_read`. It runs on the event loop itself: 6 to 12 µs a statement,
        less than a hand-over to a thread costs.
        """
        try:
            return query(self._point)
        except sqlite3.Error as error:
            raise store_unavailable(error) from error

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.read`."""
        return await self._loop.run_in_executor(self._readers, self._read, query)

    def _read(self, query: Callable[[Snapshot], T]) -> T:
        try:
            snapshot: Snapshot | None = getattr(self._local, "snapshot", None)
            if snapshot is None:
                database = self._file.open(read_only=True)
                self._local.connection = database.connection()
                snapshot = self._local.snapshot = Snapshot(database, self._local.connection)
            self._local.connection.execute("BEGIN")
            try:
                return query(snapshot)
            finally:
                self._local.connection.execute("ROLLBACK")
        except (sqlite3.Error, DatabaseUnusable) as error:
            self._local.snapshot = None
            raise store_unavailable(error) from error

    def _write_batches(self) -> None:
        """The writer thread: one batch after the other until None arrives."""
        database: SqliteDatabase | None = None
        transaction: Transaction | None = None
        last = False
        while not last:
            batch, last = self._next_batch()
            if not batch:
                continue
            try:
                if database is None or transaction is None:
                    database = self._file.open(read_only=False)
                    transaction = Transaction(database, database.connection())
                self._run_batch(transaction, batch)
                self.batches += 1
            except Exception as error:
                # The connection is not to be trusted after a failed batch: nothing of it
                # was acknowledged, and the next batch opens another.
                refusal = store_unavailable(error)
                for command in batch:
                    command.outcome, command.raised = None, refusal
                if database is not None:
                    _close_quietly(database)
                database = transaction = None
            self._loop.call_soon_threadsafe(self._deliver, batch)
        if database is not None:
            _close_quietly(database)

    def _deliver(self, batch: list[_Command]) -> None:
        for command in batch:
            if command.future.done():
                continue
            if command.raised is not None:
                command.future.set_exception(command.raised)
            else:
                command.future.set_result(command.outcome)
        self.committed()

    def _next_batch(self) -> tuple[list[_Command], bool]:
        """The commands that wait, at least one; and whether they are the last."""
        batch: list[_Command] = []
        command = self._queue.get()
        try:
            while True:
                if command is None:
                    return batch, True
                if not command.future.cancelled():
                    batch.append(command)
                if len(batch) >= MAX_BATCH:
                    return batch, False
                command = self._queue.get_nowait()
        except queue.Empty:
            return batch, False

    def _run_batch(self, transaction: Transaction, batch: list[_Command]) -> None:
        transaction.begin()
        for command in batch:
            transaction.start_command()
            try:
                with transaction.savepoint():
                    command.outcome = command.run(transaction)
            except sqlite3.OperationalError:
                # Not the command's fault: a full disk, an I/O error. It may have ended the
                # whole transaction (https://sqlite.org/lang_transaction.html).
                raise
            except Exception as error:
                command.raised = error
        transaction.commit()


def _nobody() -> None:
    """Nobody asked to be told of commits."""


def _close_quietly(database: SqliteDatabase) -> None:
    try:
        database.close()
    except Exception:
        _log.warning("a database connection did not close", exc_info=True)
