"""The door for queries: a few threads, each with a read-only session of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from symphony_server.store.failures import Failures
from symphony_server.store.session import DatabaseAddress, DatabaseUnusable, Session
from symphony_server.store.transaction import Snapshot

T = TypeVar("T")


@dataclass(slots=True)
class _Open:
    session: Session
    snapshot: Snapshot


class ReadDoor:
    """Runs queries. With `one_moment` each sees the data as of one moment; without, each of
    its statements sees what was committed before it.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        failures: Failures,
        *,
        threads: int,
        name: str,
        one_moment: bool,
    ) -> None:
        """Prepare for a migrated database; each thread opens it when it is first needed."""
        self._address = address
        self._failures = failures
        self._one_moment = one_moment
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._local = threading.local()
        self._sessions: set[Session] = set()

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """What the query returns or raises. Raises Refused with STORE_UNAVAILABLE."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run, query)

    def close(self) -> None:
        """Wait for the queries that run, then close every session."""
        self._executor.shutdown()
        for session in self._sessions:
            session.close()

    def _run(self, query: Callable[[Snapshot], T]) -> T:
        """Run in a thread; on another session when the thread's own turns out to be dead."""
        for left in reversed(range(self._address.attempts)):
            try:
                opened = self._opened()
            except DatabaseUnusable as error:
                raise self._failures.refusal(error) from error
            session = opened.session
            try:
                if not self._one_moment:
                    return query(opened.snapshot)
                session.begin_snapshot()
                try:
                    return query(opened.snapshot)
                finally:
                    session.end_snapshot()
            except session.failures as error:
                self._drop(session)
                if not left or not session.ended_by(error):
                    raise self._failures.refusal(error) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _opened(self) -> _Open:
        opened: _Open | None = getattr(self._local, "opened", None)
        if opened is None:
            session = self._address.open(read_only=True)
            self._sessions.add(session)
            opened = self._local.opened = _Open(session, Snapshot(session))
        return opened

    def _drop(self, session: Session) -> None:
        self._local.opened = None
        self._sessions.discard(session)
        session.close()
