"""Backups of a SQLite file, taken while servers write to it: SQLite's online backup."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from symphony_server.store.backup_files import BackupFailed
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.sqlite_replacing import check, leave_write_ahead

PAGES_A_STEP: Final = 4096
"""16 MiB: between two steps it is told how far the backup is."""
_HEADER: Final = b"SQLite format 3\0"

Told = Callable[[int], None]


def is_sqlite(path: Path) -> bool:
    """Whether a file begins as a SQLite database does."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def pages(path: Path) -> int:
    """How many pages a database has, about."""
    with closing(_reading(path)) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


def copy_pages(source: Path, draft: Path, told: Told) -> None:
    """Make a draft that is the database as of one moment. Raises BackupFailed."""
    copied = 0

    def step(_status: int, remaining: int, total: int) -> None:
        nonlocal copied
        told(total - remaining - copied)
        copied = total - remaining

    try:
        with closing(_reading(source)) as old, closing(sqlite3.connect(draft)) as new:
            # Without a snapshot of its own the backup begins anew with every write.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            old.backup(new, pages=PAGES_A_STEP, progress=step, sleep=0)
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{source} cannot be copied: {error}") from error


def seal(draft: Path) -> None:
    """Make a draft a single file that needs no other beside it, and check it whole.

    Raises BackupFailed.
    """
    try:
        with closing(sqlite3.connect(draft)) as connection:
            leave_write_ahead(connection)
        check(draft)
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"the copy is damaged, as the database may be: {error}") from error


def is_empty(file: SqliteFile) -> bool:
    """Whether no table of a database has rows; a file that cannot be read is not empty."""
    try:
        with closing(_reading(file.path)) as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name NOT LIKE 'schema_migration%' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            return not any(
                connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()  # noqa: S608
                for (name,) in names
            )
    except sqlite3.DatabaseError:
        return False


def _reading(path: Path) -> sqlite3.Connection:
    # Not for reading only: the last such connection would leave the files of the write-ahead log.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
