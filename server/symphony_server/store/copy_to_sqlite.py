"""Fills a SQLite database: in a file beside it, which takes its place when it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, ClassVar, Final

from peewee import PeeweeException, SqliteDatabase

from symphony_server.store.copying import (
    ALL_TABLES,
    CopyFailed,
    Row,
    Table,
    WholeTables,
    cannot_write,
    in_chunks,
)
from symphony_server.store.migrate import migrate
from symphony_server.store.session import Session
from symphony_server.store.sqlite_file import SqliteFile, SqliteSession
from symphony_server.store.sqlite_replacing import check, draft_beside, replace_database
from symphony_server.store.statements import Compiler

_QUICK: Final = {
    # The draft is thrown away when anything fails, and synced when it is whole.
    "journal_mode": "off",
    "synchronous": "off",
    "locking_mode": "exclusive",
    "cache_size": -65_536,  # KiB
}


class SqliteTarget:
    """See `CopyTarget`."""

    holds_nul: ClassVar[bool] = True
    failures: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error, PeeweeException)

    def __init__(self, file: SqliteFile) -> None:
        """Take a migrated database."""
        self._file = SqliteFile(file.path.resolve())  # not a link to it
        self._opened = ExitStack()

    def start(self) -> list[str]:
        """See `CopyTarget`."""
        session = self._file.open(read_only=True)
        try:
            full = WholeTables(session).not_empty()
        finally:
            session.close()
        if not full:
            self._draft = SqliteFile(self._opened.enter_context(draft_beside(self._file.path)))
            migrate(self._draft)
            self._database = SqliteDatabase(
                str(self._draft.path), autoconnect=False, pragmas=_QUICK
            )
            self._database.connect()
            self._opened.callback(self._database.close)
            self._loading: Session = SqliteSession(self._database)
            self._indexes = self._drop_indexes()
            self._loading.execute("BEGIN")
        return full

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        """See `CopyTarget`."""
        insert = Compiler(self._loading).insert(table.model)
        try:
            for chunk in in_chunks(rows, _nobody):
                insert.many(chunk)
            # Sorted once, they are made several times as fast as row by row.
            for sql in self._indexes.get(table.name, ()):
                self._loading.execute(sql)
        except self._loading.failures as error:
            raise cannot_write(table, error) from error

    def loaded(self) -> Session:
        """See `CopyTarget`. What is read is what is in the file."""
        self._loading.execute("COMMIT")
        self._database.close()
        self._session = self._draft.open(read_only=True)
        self._opened.callback(self._session.close)
        return self._session

    def keep(self) -> None:
        """See `CopyTarget`."""
        self._session.close()
        try:
            check(self._draft.path)
        except sqlite3.DatabaseError as error:
            raise CopyFailed(f"the copy is damaged, and was not kept: {error}") from error
        replace_database(self._draft.path, self._file.path, _require_empty)

    def close(self) -> None:
        """See `CopyTarget`."""
        self._opened.close()

    def _drop_indexes(self) -> dict[str, list[str]]:
        """The statements that make them again, in the order in which they were made: it
        matters to queries that two of them serve (see `tables.py`).
        """
        made: dict[str, list[str]] = {}
        indexes: list[Any] = self._loading.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master "
            "WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
        for name, table, sql in indexes:
            self._loading.execute(f'DROP INDEX "{name}"')
            made.setdefault(table, []).append(sql)
        return made


def _require_empty(connection: sqlite3.Connection) -> None:
    """Raises CopyFailed for a database with rows in a table of ours."""
    full = [
        table.name
        for table in ALL_TABLES
        if connection.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1').fetchone()  # noqa: S608
    ]
    if full:
        raise CopyFailed(f"the target got rows meanwhile, in {', '.join(full)}, and keeps them")


def _nobody(_rows: int) -> None:
    """Who gives the rows counts them."""
