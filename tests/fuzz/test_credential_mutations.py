"""Credentials nearly right: the everyday size of what `make fuzz` does."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fuzz.credential_mutations import try_mutations

COUNT = 400


def test_no_credential_is_accepted_that_is_good_but_for_a_change(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311 - the same mutations every time
    assert try_mutations(tmp_path, chance, lambda tried: tried < COUNT) == COUNT
