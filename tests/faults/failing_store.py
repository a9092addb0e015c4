"""A session of the store whose operations fail as they are told to, and that proves it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from itertools import pairwise
from typing import Any, Final

import psycopg
import pytest

from symphony_server.store.session import DatabaseAddress, DatabaseUnusable, Session
from tests import engines

OPEN: Final = "open"
BEGIN: Final = "begin"
COMMIT: Final = "commit"


class When(Enum):
    """Where in an operation it fails."""

    BEFORE = "before it is done"
    AFTER = "once it is done"


class Plan:
    """Which operation of the sessions that write is to fail, counted from when it is set."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self.clear()

    def clear(self) -> None:
        """Let everything succeed, and count from here."""
        self.fail_at(0, When.BEFORE)

    def fail_at(self, number: int, when: When, *, lasting: bool = False) -> None:
        """Let the number-th operation from here fail, and with `lasting` all that come after."""
        self._number, self._when, self._lasting = number, when, lasting
        self.done: list[str] = []
        """The operations so far, failed or not."""
        self.fired: list[str] = []
        """Those that failed because they were told to."""

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Around an operation: fail if it is to."""
        self.done.append(name)
        count = len(self.done)
        fails = count == self._number or (self._lasting and count > self._number > 0)
        if fails and self._when is When.BEFORE:
            raise self._failure(name)
        yield
        if fails:
            raise self._failure(name)

    def _failure(self, name: str) -> Exception:
        self.fired.append(name)
        told = f"told to fail: {name}"
        if name == OPEN:
            return DatabaseUnusable(told)
        if self._engine == engines.SQLITE:
            return sqlite3.OperationalError(told)
        return psycopg.OperationalError(told)


class FailingSession:
    """A session by a plan. What it does not do itself, the session does that it is made of."""

    def __init__(self, inner: Session, plan: Plan) -> None:
        self._inner = inner
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        with self._plan.operation(_name(sql)):
            return self._inner.execute(sql, *parameters)

    def executemany(self, sql: str, rows: Any) -> None:
        with self._plan.operation(_name(sql)):
            self._inner.executemany(sql, rows)

    def begin_batch(self) -> None:
        with self._plan.operation(BEGIN):
            self._inner.begin_batch()

    def prepare_commit(self, *, changed: bool) -> None:
        with self._plan.operation("prepare commit"):
            self._inner.prepare_commit(changed=changed)

    def commit(self) -> None:
        with self._plan.operation(COMMIT):
            self._inner.commit()


def _name(sql: str) -> str:
    """What a statement does, and to which table: its beginning, without punctuation."""
    words = sql.replace('"', "").split()
    table = next((word for before, word in pairwise(words) if before in _BEFORE_TABLE), "")
    return f"{words[0]} {table}".strip()


_BEFORE_TABLE: Final = frozenset({"FROM", "INTO", "UPDATE"})


def let_fail(monkeypatch: pytest.MonkeyPatch, address: DatabaseAddress, engine: str) -> Plan:
    """Let the sessions for writing that are opened from now on follow a plan, which is returned."""
    plan = Plan(engine)
    opens: Callable[..., Session] = type(address).open

    def opened(self: DatabaseAddress, *, read_only: bool) -> Any:
        if read_only:
            return opens(self, read_only=True)
        with ExitStack() as undone:
            with plan.operation(OPEN):
                session = opens(self, read_only=False)
                undone.callback(session.close)
            undone.pop_all()
        return FailingSession(session, plan)

    monkeypatch.setattr(type(address), "open", opened)
    return plan
