"""The engines that a database may be of, for tests that run on more than one.

A test that asks for `engine`, or for a fixture that does, runs on SQLite; in a module with
`ENGINES = ALL` it runs on each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from symphony_server.store import migrate

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
ALL: Final = (SQLITE, POSTGRESQL)

MIGRATIONS: Final = sorted(file.stem for file in migrate.DIRECTORY.glob("[0-9]*.py"))
"""What a new database is made by, in order."""

NewDatabase = Callable[[str, Path], str]
"""(engine, directory) → the URL of a new database; in the directory if it is a file."""
