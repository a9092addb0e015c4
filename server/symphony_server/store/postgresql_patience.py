"""Connections to PostgreSQL of commands that may take hours, where a server's are cut off soon."""

from __future__ import annotations

from typing import Final

import psycopg

from symphony_server.store.postgresql import PostgresqlAddress, PostgresqlSession
from symphony_server.store.session import DatabaseUnusable

_TIMEOUTS: Final = ("statement", "lock", "idle_in_transaction_session")


def patient_session(address: PostgresqlAddress, *, read_only: bool) -> PostgresqlSession:
    """A session that nothing cuts off. Raises DatabaseUnusable."""
    session = address.open(read_only=read_only)
    try:
        for timeout in _TIMEOUTS:
            session.execute(f"SET {timeout}_timeout = 0")
    except psycopg.Error as error:
        session.close()
        raise DatabaseUnusable(f"the database {address} does not open: {error}") from error
    return session
