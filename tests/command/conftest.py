from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.terminal import Terminal
from tests.server.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), rate_limits=False) as world:
        yield world


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Terminal:
    """The terminal of the ADMIN, in an empty directory."""
    return Terminal(tmp_path, world.server.target, world.admin.secret or "")
