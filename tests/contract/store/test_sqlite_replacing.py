"""A database that takes the place of another."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from symphony_server.store.sqlite_replacing import replace_database

WAIT_SECONDS = 20


def database(path: Path) -> Path:
    """A database with the name of its file in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE said (word TEXT)")
        connection.execute("INSERT INTO said VALUES (?)", (path.name,))
    return path


def word(connection: sqlite3.Connection) -> str:
    [(said,)] = connection.execute("SELECT word FROM said").fetchall()
    return str(said)


def test_of_two_at_once_the_second_waits_and_sees_the_first(tmp_path: Path) -> None:
    path, first, second = (database(tmp_path / name) for name in ("kept", "first", "second"))
    inside, go_on = threading.Event(), threading.Event()
    seen = []

    def look(connection: sqlite3.Connection) -> None:
        seen.append(word(connection))
        inside.set()
        assert go_on.wait(WAIT_SECONDS)

    with ThreadPoolExecutor() as threads:
        replacing = threads.submit(replace_database, first, path, look)
        assert inside.wait(WAIT_SECONDS)
        waiting = threads.submit(replace_database, second, path, look)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        go_on.set()
        replacing.result(WAIT_SECONDS)
        waiting.result(WAIT_SECONDS)

    assert seen == ["kept", "first"]
    with closing(sqlite3.connect(path)) as connection:
        assert word(connection) == "second"
