"""The engines that a database may be of, for tests that run on more than one.

A test that asks for `engine`, or for a fixture that does, runs on SQLite; in a module with
`ENGINES = ALL` it runs on each.
"""

from __future__ import annotations

from typing import Final

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
ALL: Final = (SQLITE, POSTGRESQL)
