"""Credentials nearly right: the everyday size of what `make fuzz` does."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from tests.fuzz.credential_mutations import LONGEST, mutations, try_mutations

COUNT = 400


def test_no_credential_is_accepted_that_is_good_but_for_a_change(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311 - the same mutations every time
    assert try_mutations(tmp_path, chance, lambda tried: tried < COUNT) == COUNT


def test_what_is_tried_is_no_longer_than_what_the_server_gets_to_see() -> None:
    chance = random.Random(11)  # noqa: S311 - the same mutations every time
    lengths = [len(text) for text in islice(mutations("x" * 900 + "y", chance), 5000)]
    assert LONGEST / 2 < max(lengths) <= LONGEST
