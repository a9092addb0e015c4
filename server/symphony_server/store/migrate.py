"""Brings the schema to this server's version, once, however many servers start together."""

from __future__ import annotations

from pathlib import Path

from playhouse.migrations import Runner

from symphony_server.store.session import DatabaseAddress, Session

DIRECTORY = Path(__file__).with_name("migrations")


class SchemaNewer(RuntimeError):
    """The database was written by a newer server."""


class SchemaOutdated(RuntimeError):
    """The database lacks migrations and the server was told not to apply them."""


def pending(address: DatabaseAddress) -> list[str]:
    """The migrations not applied yet, in order. Raises SchemaNewer."""
    session = address.open(read_only=False)
    try:
        return _pending(_runner(session))
    finally:
        session.close()


def applied(address: DatabaseAddress) -> list[str]:
    """The migrations that were applied, in order."""
    session = address.open(read_only=False)
    try:
        return [migration.name for migration in _runner(session).status() if migration.applied]
    finally:
        session.close()


def migrate(address: DatabaseAddress) -> list[str]:
    """Apply what is pending, all of it or nothing; returns the names. Raises SchemaNewer.

    A lock is held all the while: a second server waits, then finds nothing to do.
    """
    address.make()
    session = address.open(read_only=False)
    try:
        with address.changing_schema(session):
            runner = _runner(session)
            names = _pending(runner)
            if names:
                runner.up()
            return names
    finally:
        session.close()


def _runner(session: Session) -> Runner:
    return Runner(session.database, str(DIRECTORY))


def _pending(runner: Runner) -> list[str]:
    status = runner.status()
    newer = [migration.name for migration in status if migration.path is None]
    if newer:
        raise SchemaNewer(
            f"the database has migrations this server does not know ({', '.join(newer)}): "
            "a newer server wrote it; run that version or a later one"
        )
    return [migration.name for migration in status if not migration.applied]
