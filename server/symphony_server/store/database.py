"""Opens connections to the database that a URL names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from peewee import PeeweeException, SqliteDatabase

BUSY_TIMEOUT_MS = 5000
"""How long a writer waits for another process's transaction; longer than any batch takes."""


class UnsupportedDatabase(ValueError):
    """The database URL is not one that the server can open."""


class DatabaseUnusable(RuntimeError):
    """The database is named rightly, but does not open: no SQLite file, no space, no right."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite database file."""

    path: Path

    def open(self, *, read_only: bool) -> SqliteDatabase:
        """Open a connection of the calling thread's own.

        Durability is SQLite's strongest: a commit is in the write-ahead log and synced
        before it returns (https://sqlite.org/pragma.html#pragma_synchronous).
        Raises DatabaseUnusable.
        """
        database = SqliteDatabase(
            str(self.path),
            autoconnect=False,
            pragmas={
                "busy_timeout": BUSY_TIMEOUT_MS,
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": "on",
                "cache_size": -16_000,  # KiB
                "query_only": "on" if read_only else "off",
            },
        )
        try:
            database.connect()
        except PeeweeException as error:
            raise DatabaseUnusable(f"the database {self.path} does not open: {error}") from error
        return database


def parse_url(url: str) -> SqliteFile:
    """The database that a URL such as `sqlite:///symphony.db` names.

    Three slashes begin a path relative to the working directory, four an absolute one.
    Raises UnsupportedDatabase with what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        raise UnsupportedDatabase(
            f"{parts.scheme}:// is not supported by this version; use sqlite:///FILE"
        )
    if parts.scheme != "sqlite":
        raise UnsupportedDatabase(f"the database URL must begin with sqlite:///, not {url[:16]!r}")
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path or path == ":memory:":
        raise UnsupportedDatabase(
            "the database URL must name a file: sqlite:///symphony.db, or sqlite:////var/lib/x.db"
        )
    return SqliteFile(Path(path))
