"""An audit log to test with: a writer on a database of its own, without a server."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.database import parse_url
from symphony_server.store.merkle import leaf_hash, position
from symphony_server.store.migrate import migrate
from symphony_server.store.session import DatabaseAddress, Session
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

    def __init__(self, address: DatabaseAddress) -> None:
        self.session = address.open(read_only=False)
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

    def __init__(self, url: str) -> None:
        self.address = parse_url(url)
        migrate(self.address)
        self._opened: list[Session] = []

    def writer(self) -> Writer:
        made = Writer(self.address)
        self._opened.append(made.session)
        return made

    def log(self) -> AuditLog:
        """The log as a reader sees it."""
        session = self.address.open(read_only=True)
        self._opened.append(session)
        return Snapshot(session).audit

    def tamper(self, *statements: str, **values: int) -> None:
        """Change the database behind the server's back."""
        with closing(self.address.open(read_only=False)) as session:
            connection: Any = session.database.connection()
            if isinstance(self.address, SqliteFile):
                connection.create_function("flipped", 1, flipped)
                connection.create_function("leaf_hash", 1, leaf_hash)
                connection.create_function("place", 2, position)  # of a hash: level, index
            else:
                connection.execute(_FUNCTIONS)
                statements = tuple(map(_as_postgresql_says_it, statements))
            connection.execute("BEGIN")
            for statement in statements:
                assert connection.execute(statement, values).rowcount != 0, statement
            connection.execute("COMMIT")

    def close(self) -> None:
        for session in self._opened:
            session.close()


_FUNCTIONS = r"""
    CREATE OR REPLACE FUNCTION flipped(value bytea) RETURNS bytea LANGUAGE SQL AS
        'SELECT set_byte(value, length(value) - 1, get_byte(value, length(value) - 1) # 1)';
    CREATE OR REPLACE FUNCTION leaf_hash(value bytea) RETURNS bytea LANGUAGE SQL AS
        $$ SELECT sha256('\x00' || value) $$;
    CREATE OR REPLACE FUNCTION place(level bigint, index bigint) RETURNS bigint LANGUAGE SQL AS
        'SELECT 2 * leaf - bit_count(leaf::bit(64)) + level
         FROM (SELECT ((index + 1) << level::int) - 1 AS leaf) AS last';
"""


def _as_postgresql_says_it(statement: str) -> str:
    statement = re.sub(r":(\w+)", r"%(\1)s", statement)
    return re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'::bytea", statement)


def flipped(value: bytes) -> bytes:
    """Bytes with one bit of the last changed."""
    return value[:-1] + bytes([value[-1] ^ 1])
