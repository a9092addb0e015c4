from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.place import Place, open_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server for all tests of a file, each with people and projects of its own."""
    with open_place(tmp_path_factory.mktemp("place")) as made:
        yield made
