"""Backups of a database, each engine's in its own way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symphony_server.store import sqlite_backup
from symphony_server.store.backup_files import NoBackup
from symphony_server.store.contents import Contents, contents
from symphony_server.store.migrate import pending
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.sqlite_replacing import draft_beside, replace_database

Begin = Callable[[str, str, int], Callable[[int], None]]
"""(act, on what, of how many) → what is told of so many more that are done."""
Finish = Callable[[DatabaseAddress], None]
"""What is to be done with a database that was restored, before anybody uses it."""


class TargetNotEmpty(RuntimeError):
    """There is something in the database that would be lost."""


class Backups(Protocol):
    """The backups of one database."""

    def make(self, draft: Path, begin: Begin) -> Contents | None:
        """Write a backup into a draft, and return what is in it; None of a schema that is not
        this version's. Servers may write meanwhile. Raises BackupFailed.
        """

    def restore(self, file: Path, begin: Begin, finish: Finish, *, force: bool) -> None:
        """Put a backup in the place of the database. Raises NoBackup, BackupFailed, FileInUse,
        and unless it is forced TargetNotEmpty; after each of these the database is as it was.
        """


@dataclass(frozen=True, slots=True)
class SqliteBackups:
    """See `Backups`: a backup is a database."""

    file: SqliteFile

    def make(self, draft: Path, begin: Begin) -> Contents | None:
        """See `Backups`."""
        told = begin("copying", "pages", sqlite_backup.pages(self.file.path))
        sqlite_backup.copy_pages(self.file.path, draft, told)
        made = _contents(SqliteFile(draft))
        sqlite_backup.seal(draft)
        return made

    def restore(self, file: Path, begin: Begin, finish: Finish, *, force: bool) -> None:
        """See `Backups`."""
        if not sqlite_backup.is_sqlite(file):
            raise not_of(file, "SQLite")
        path = self.file.path.resolve()  # not a link to it
        if path.exists() and not force and not sqlite_backup.is_empty(self.file):
            raise not_empty(self.file)
        with draft_beside(path) as draft:
            told = begin("copying", "pages", sqlite_backup.pages(file))
            sqlite_backup.copy_pages(file, draft, told)
            finish(SqliteFile(draft))
            sqlite_backup.seal(draft)
            replace_database(draft, path, lambda _: None)


def _contents(address: DatabaseAddress) -> Contents | None:
    if pending(address):
        return None
    with closing(address.open(read_only=True)) as session:
        session.begin_snapshot()
        return contents(session)


def not_of(file: Path, engine: str) -> NoBackup:
    """What to raise for a file that another engine may know."""
    return NoBackup(
        f"{file} is no backup of a {engine} database; restore it to one of its own engine, then "
        "go on with 'symphony copy'"
    )


def not_empty(address: DatabaseAddress) -> TargetNotEmpty:
    """What to raise rather than replace a database."""
    return TargetNotEmpty(f"the database {address} is not empty; --force gives up what is in it")
