"""Fills a PostgreSQL database, in one transaction in which nobody else writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

import psycopg
from psycopg import sql

from symphony_server.store.copying import (
    ALL_TABLES,
    CopyFailed,
    Row,
    Table,
    WholeTables,
    cannot_write,
)
from symphony_server.store.postgresql import PostgresqlAddress
from symphony_server.store.session import Session, on_a_line

_TYPES: Final = {
    "TEXT": "text",
    "BLOB": "bytea",
    "BIGINT": "int8",
    "SMALLINT": "int2",
    "BOOL": "bool",
}
"""Peewee's word for a column's type → PostgreSQL's."""


class PostgresqlTarget:
    """See `CopyTarget`. Servers on the database wait for the lock, and refuse calls after 10 s."""

    holds_nul: ClassVar[bool] = False
    failures: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(self, address: PostgresqlAddress) -> None:
        """Take a migrated database."""
        self._session = address.open(read_only=False)

    def start(self) -> list[str]:
        """See `CopyTarget`."""
        self._session.begin_batch()
        for timeout in ("statement", "lock", "idle_in_transaction_session"):
            self._session.execute(f"SET LOCAL {timeout}_timeout = 0")
        return WholeTables(self._session).not_empty()

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        """See `CopyTarget`."""
        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(table.name),
            sql.SQL(", ").join(sql.Identifier(field.name) for field in table.fields),
        )
        with self._session.connection.cursor() as cursor:
            try:
                with cursor.copy(into) as copy:
                    copy.set_types([_TYPES[field.field_type] for field in table.fields])
                    for row in rows:
                        copy.write_row(row)
            except (psycopg.Error, ValueError, TypeError, UnicodeError) as error:
                raise cannot_write(table, error) from error

    def loaded(self) -> Session:
        """See `CopyTarget`."""
        for table in ALL_TABLES:
            self._session.execute(f'ANALYZE "{table.name}"')
        return self._session

    def keep(self) -> None:
        """See `CopyTarget`."""
        try:
            self._session.prepare_commit(changed=True)
            self._session.commit()
        except psycopg.Error as error:
            raise CopyFailed(
                "the target did not say that it committed, so it is unknown whether the copy is "
                f"there: {on_a_line(error)}"
            ) from error

    def close(self) -> None:
        """See `CopyTarget`. What was not committed is not there."""
        self._session.close()
