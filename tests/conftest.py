from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import SQLITE, NewDatabase
from tests.postgresql import Postgresql, running


def pytest_configure() -> None:
    # A shell has what it runs in the background ignore Ctrl-C, and all that is started from there.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """Makes databases that last longer than a test. PostgreSQL's have the schema in them."""

    def make(engine: str, directory: Path) -> str:
        if engine == SQLITE:
            return _file_in(directory)
        server: Postgresql = request.getfixturevalue("postgresql")
        return server.migrated_database()

    return make


@pytest.fixture
def database_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the test's own. PostgreSQL's has the schema in it."""
    if engine == SQLITE:
        yield _file_in(tmp_path)
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    with server.migrated() as url:
        yield url


def _file_in(directory: Path) -> str:
    return f"sqlite:///{directory / 'symphony.db'}"
