from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import NewDatabase
from tests.server.world import World


@pytest.fixture
def world(engine: str, tmp_path: Path, new_database: NewDatabase) -> Iterator[World]:
    """A server of the test's own, with its first ADMIN."""
    with World(tmp_path, new_database(engine, tmp_path)) as made:
        yield made
