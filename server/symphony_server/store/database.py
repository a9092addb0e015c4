"""Opens the database that a URL names, whichever engine it is of."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from symphony_server.store.session import DatabaseAddress
from symphony_server.store.sqlite_file import SqliteFile

POSTGRESQL_SCHEMES = ("postgresql", "postgres")


class UnsupportedDatabase(ValueError):
    """The database URL is not one that the server can open."""


def parse_url(url: str) -> DatabaseAddress:
    """The database that a URL such as `sqlite:///symphony.db` or `postgresql://host/name` names.

    With `sqlite:`, three slashes begin a path relative to the working directory, four an
    absolute one; after `postgresql:` comes what libpq takes.
    Raises UnsupportedDatabase with what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme in POSTGRESQL_SCHEMES:
        return _postgresql(url)
    if parts.scheme != "sqlite":
        raise UnsupportedDatabase(
            f"the database URL must begin with sqlite:/// or postgresql://, not {url[:16]!r}"
        )
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path or path == ":memory:":
        raise UnsupportedDatabase(
            "the database URL must name a file: sqlite:///symphony.db, or sqlite:////var/lib/x.db"
        )
    return SqliteFile(Path(path))


def _postgresql(url: str) -> DatabaseAddress:
    # Here, so that who keeps the data in SQLite needs no psycopg.
    try:
        import psycopg
    except ImportError:
        raise UnsupportedDatabase(
            "postgresql:// needs psycopg, which is not installed; "
            "install symphony-data[server,postgres]"
        ) from None
    from symphony_server.store.postgresql import PostgresqlAddress

    try:
        return PostgresqlAddress.of(url)
    except psycopg.ProgrammingError as error:
        raise UnsupportedDatabase(
            f"the database URL is not one of PostgreSQL's: {str(error).strip()}"
        ) from None
