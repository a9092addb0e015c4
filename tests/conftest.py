from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import SQLITE, NewDatabase
from tests.postgresql import Postgresql, running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", getattr(metafunc.module, "ENGINES", (SQLITE,)))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server for all tests of a process; each makes databases of its own."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Makes databases with the schema in them."""

    def make(engine: str, directory: Path) -> str:
        if engine == SQLITE:
            return f"sqlite:///{directory / 'symphony.db'}"
        server: Postgresql = request.getfixturevalue("postgresql")
        return server.migrated_database()

    return make
