"""A SQLite file that takes the place of another, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

_BESIDE: Final = ("-journal", "-wal", "-shm")


class FileInUse(RuntimeError):
    """A database that somebody has open."""


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """An empty file in the same folder, for its owner only; gone at the end unless it was moved.

    A process that is killed leaves it there.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for one in (Path(name), *_beside(Path(name))):
            one.unlink(missing_ok=True)


def check(path: Path) -> None:
    """Raises sqlite3.DatabaseError for a file that is damaged."""
    with closing(sqlite3.connect(path)) as connection:
        [(said,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
        if said != "ok":
            raise sqlite3.DatabaseError(said)


def leave_write_ahead(connection: sqlite3.Connection) -> None:
    """Bring all that is in the write-ahead log into the file itself, and leave no other file.

    Raises sqlite3.OperationalError while somebody else has the database open.
    """
    [(mode,)] = connection.execute("PRAGMA journal_mode = delete").fetchall()
    if mode != "delete":
        raise sqlite3.OperationalError(f"it stays in mode {mode}")


def move_into_place(draft: Path, path: Path) -> None:
    """Let a draft, of which nobody has a connection, be the file from now on, durably."""
    _sync(draft)
    draft.replace(path)
    _sync(path.parent)


def replace_database(draft: Path, path: Path, may: Callable[[sqlite3.Connection], None]) -> None:
    """Likewise for a database that may be there already, and whose rights it then has.

    `may` sees the old one once nobody else can open it, and raises what forbids it. Raises
    FileInUse. After either everything is as it was. Who replaces it at the same time waits, and
    sees what came before.
    """
    with _one_at_a_time(path.parent):
        _replace(draft, path, may)


def _replace(draft: Path, path: Path, may: Callable[[sqlite3.Connection], None]) -> None:
    if not path.exists():
        move_into_place(draft, path)
        return
    with _alone(path) as connection:
        may(connection)
        shutil.copymode(path, draft)
        with suppress(PermissionError):
            owner = path.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        move_into_place(draft, path)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of two that want a database for themselves at once, each would find the other in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    """Nobody else has the database open. Its write-ahead log, which would be taken for the new
    file's, is gone.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        try:
            # Every connection to a database in WAL mode holds a lock that this must have.
            leave_write_ahead(connection)
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise FileInUse(
                f"{path} is in use ({error}); stop the server that has it open"
            ) from error
        except sqlite3.DatabaseError:
            # It is none, or damaged: what stands beside it is of no use without it.
            for beside in _beside(path):
                beside.unlink(missing_ok=True)
        yield connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in _BESIDE]
