"""An audit log to test with: a writer on a database of its own, without a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.merkle import leaf_hash, position
from symphony_server.store.migrate import migrate
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.transaction import Snapshot, Transaction

FIRST_TIME_US = 1_700_000_000_000_000


def new_record(**fields: Any) -> AuditRecord:
    record = AuditRecord(id=new_id("audit"), method="symphony.v1.S/M", user_id="user_1", count=1)
    record.caller_id = "user_1"
    record.outcome = AuditOutcome.AUDIT_OUTCOME_ALLOWED
    set_timestamp(record.time, FIRST_TIME_US)
    record.MergeFrom(AuditRecord(**fields))
    return record


class Writer:
    """A process that writes to the log."""

    def __init__(self, file: SqliteFile) -> None:
        self.session = file.open(read_only=False)
        self.transaction = Transaction(self.session)

    def write(self, count: int, make: Callable[[], AuditRecord] = new_record) -> list[AuditRecord]:
        """Append in one batch."""
        records = [make() for _ in range(count)]
        self.transaction.begin()
        for record in records:
            self.transaction.audit.append(record)
        self.transaction.seal()
        self.transaction.commit()
        return records


class AuditWorld:
    """A database with an audit log."""

    def __init__(self, directory: Path) -> None:
        self.file = SqliteFile(directory / "audit.db")
        migrate(self.file)
        self._opened: list[Any] = []

    def writer(self) -> Writer:
        made = Writer(self.file)
        self._opened.append(made.session)
        return made

    def log(self) -> AuditLog:
        """The log as a reader sees it."""
        session = self.file.open(read_only=True)
        self._opened.append(session)
        return Snapshot(session).audit

    def tamper(self, *statements: str, **values: int) -> None:
        """Change the database behind the server's back."""
        connection = sqlite3.connect(self.file.path)
        connection.create_function("flipped", 1, flipped)
        connection.create_function("leaf_hash", 1, leaf_hash)
        connection.create_function("place", 2, position)  # of a hash: level, index
        for statement in statements:
            assert connection.execute(statement, values).rowcount != 0, statement
        connection.commit()
        connection.close()

    def close(self) -> None:
        for session in self._opened:
            session.close()


def flipped(value: bytes) -> bytes:
    """Bytes with one bit of the last changed."""
    return value[:-1] + bytes([value[-1] ^ 1])
