"""Runs one target where atheris is not installed, with the seeds changed by chance and
hypothesis' own bytes:

    python -m tests.fuzz.with_hypothesis TARGET SECONDS DIRECTORY

Nothing tells it which branches were reached, so it finds less in the same time. It ends with the
first finding, made as small as it gets, whose bytes it leaves in DIRECTORY as `TARGET-crash`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.scene import drawn
from tests.fuzz.target_table import load

A_ROUND: Final = 500


def main(arguments: Sequence[str]) -> int:
    """Returns 77, as atheris does, where something was found."""
    name, seconds, directory = arguments[0], float(arguments[1]), Path(arguments[2])
    target = load(name)
    seeds = [path.read_bytes() for path in target.seeds]
    tried, end = 0, time.monotonic() + seconds
    last = b""

    def try_one(data: bytes) -> None:
        nonlocal tried, last
        tried, last = tried + 1, data
        target.try_one(data)

    strategy = st.binary(max_size=target.max_bytes) | st.builds(
        _changed, st.sampled_from(seeds), st.lists(st.tuples(_PLACES, st.binary(max_size=8)))
    )
    try:
        for number in count(int(time.time())):
            drawn(strategy, A_ROUND, number, try_one)
            if time.monotonic() > end:
                break
    except Exception:
        (directory / f"{name}-crash").write_bytes(last)
        raise
    print(f"stat::number_of_executed_units: {tried}", file=sys.stderr)
    return 0


_PLACES: Final = st.integers(0, 4096)


def _changed(seed: bytes, changes: Sequence[tuple[int, bytes]]) -> bytes:
    """The seed with bytes written over it in some places."""
    for place, new in changes:
        at = place % (len(seed) + 1)
        seed = seed[:at] + new + seed[at + len(new) :]
    return seed


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(77)
