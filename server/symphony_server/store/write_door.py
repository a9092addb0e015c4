"""The door for commands: they are run in batches, by one thread, on a session of its own.

Commands that arrive while one batch runs form the next: the thread begins a transaction,
runs each command, commits once (group commit) and hands all results back to the event loop in
one call. No answer leaves before its commit.

A command that fails when it has written something takes the batch back to its beginning; it runs
again with a savepoint around each command. Few do, and the others save two statements.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.failures import Failures
from symphony_server.store.session import DatabaseAddress, Session
from symphony_server.store.transaction import HalfDone, Transaction
from symphony_server.store.write_counts import WriteCounts

T = TypeVar("T")

MAX_BATCH: Final = 128
"""Commands in one transaction: bounds how long the first of a batch waits for the last."""
MAX_QUEUED: Final = 4096
"""Commands that may wait; more are refused as OVERLOADED instead of waiting in vain."""


class _Command:
    __slots__ = ("future", "outcome", "raised", "run")

    def __init__(self, run: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        self.run = run
        self.future = future
        self.outcome: Any = None
        self.raised: BaseException | None = None


class WriteDoor:
    """Runs commands in batches."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Prepare for a migrated database; `start` opens it."""
        self._address = address
        self._failures = Failures()
        self._queue: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop
        self._session: Session | None = None
        self._transaction: Transaction
        # Whoever forgets to close it can still end: what was answered is durable already.
        self._thread = threading.Thread(target=self._run_batches, name="store-write", daemon=True)
        self.committed: Callable[[], None] = _nobody
        """Called on the event loop after each batch, once its results are handed out."""
        self.batches = 0
        """How many transactions were committed."""
        self.counts = WriteCounts()

    @property
    def queued(self) -> int:
        """How many commands wait for the next batch."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the thread; to be called on the event loop's thread."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Finish the commands that wait, then close the session."""
        if self._closing:
            return
        self._closing = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

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

    def _run_batches(self) -> None:
        """The thread: one batch after the other until None arrives."""
        last = False
        while not last:
            batch, last = self._next_batch()
            if not batch:
                continue
            began_ns = time.monotonic_ns()
            try:
                self._run_batch(batch)
                self._count(len(batch), time.monotonic_ns() - began_ns)
            except Exception as error:
                # The session is not to be trusted after a failed batch: nothing of it was
                # acknowledged, and the next batch opens another.
                self.counts.failed += 1
                self._drop_session()
                refusal = self._failures.refusal(error)
                for command in batch:
                    command.outcome, command.raised = None, refusal
            self._loop.call_soon_threadsafe(self._deliver, batch)
        self._drop_session()

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

    def _run_batch(self, batch: list[_Command]) -> None:
        """Run the commands and commit; as often as the address says until COMMIT is sent."""
        for left in reversed(range(self._address.attempts)):
            session = self._open_session()
            try:
                try:
                    self._run_commands(session, batch, guarded=False)
                except HalfDone:
                    self._transaction.roll_back()
                    self._run_commands(session, batch, guarded=True)
                break
            except Exception as error:
                if not left or not session.ended_by(error):
                    raise
                # A new transaction object too: what it remembers of the log may be undone.
                self._drop_session()
        self._transaction.commit()

    def _run_commands(self, session: Session, batch: list[_Command], *, guarded: bool) -> None:
        transaction = self._transaction
        transaction.begin()
        for command in batch:
            command.outcome = command.raised = None
            transaction.start_command()
            try:
                if guarded:
                    with transaction.savepoint():
                        command.outcome = command.run(transaction)
                else:
                    command.outcome = transaction.unguarded(command.run)
            except Exception as error:
                if isinstance(error, HalfDone) or session.ended_by(error):
                    raise
                command.raised = error
        transaction.seal()

    def _count(self, commands: int, took_ns: int) -> None:
        transaction, counts = self._transaction, self.counts
        self.batches += 1
        counts.committed(commands, took_ns)
        counts.revision, counts.audit_records = transaction.changes.revision, transaction.audit.size

    def _open_session(self) -> Session:
        if self._session is None:
            session = self._address.open(read_only=False)
            self._session, self._transaction = session, Transaction(session)
        return self._session

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _deliver(self, batch: list[_Command]) -> None:
        for command in batch:
            if command.future.done():
                continue
            if command.raised is not None:
                command.future.set_exception(command.raised)
            else:
                command.future.set_result(command.outcome)
        self.committed()


def _nobody() -> None:
    """Nobody asked to be told of commits."""
