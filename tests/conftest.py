from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import SQLITE
from tests.postgresql import Postgresql, running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", getattr(metafunc.module, "ENGINES", (SQLITE,)))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server for all tests of a process; each makes databases of its own."""
    with running() as server:
        yield server


@pytest.fixture
def database_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the test's own, with the schema in it unless it is a file, which
    is still to be made.
    """
    if engine == SQLITE:
        yield f"sqlite:///{tmp_path / 'symphony.db'}"
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    with server.migrated() as url:
        yield url
