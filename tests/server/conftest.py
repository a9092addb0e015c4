from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.world import World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A server of the test's own, with its first ADMIN."""
    with World(tmp_path, database_url) as made:
        yield made
