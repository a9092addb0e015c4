"""Brings the schema to this server's version, once, however many servers start together."""

from __future__ import annotations

from pathlib import Path

from playhouse.migrations import Runner

from symphony_server.store.database import SqliteFile

DIRECTORY = Path(__file__).with_name("migrations")


class SchemaNewer(RuntimeError):
    """The database was written by a newer server."""


class SchemaOutdated(RuntimeError):
    """The database lacks migrations and the server was told not to apply them."""


def pending(file: SqliteFile) -> list[str]:
    """The migrations not applied yet, in order. Raises SchemaNewer."""
    database = file.open(read_only=False)
    try:
        return _pending(Runner(database, str(DIRECTORY)))
    finally:
        database.close()


def migrate(file: SqliteFile) -> list[str]:
    """Apply what is pending, all of it or nothing; returns the names. Raises SchemaNewer.

    The write transaction around it is the lock: a second server waits, then finds nothing
    to do.
    """
    file.path.parent.mkdir(parents=True, exist_ok=True)
    database = file.open(read_only=False)
    try:
        with database.atomic("IMMEDIATE"):
            runner = Runner(database, str(DIRECTORY))
            names = _pending(runner)
            if names:
                runner.up()
            return names
    finally:
        database.close()


def _pending(runner: Runner) -> list[str]:
    status = runner.status()
    newer = [migration.name for migration in status if migration.path is None]
    if newer:
        raise SchemaNewer(
            f"the database has migrations this server does not know ({', '.join(newer)}): "
            "a newer server wrote it; run that version or a later one"
        )
    return [migration.name for migration in status if not migration.applied]
