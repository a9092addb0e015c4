"""Every seed and every finding of an earlier run, tried once: what `make fuzz` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.target_table import CORPUS, NAMES, load, seeds_of

EVERY = [path for name in NAMES for path in seeds_of(name)]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_tried_before_is_well(path: Path) -> None:
    load(path.parent.name).try_one(path.read_bytes())


def test_every_target_has_seeds_and_every_corpus_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(NAMES)
    assert all(seeds_of(name) for name in NAMES)
