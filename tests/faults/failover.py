"""Loses the primary of a PostgreSQL pair under load, again and again.

    python -m tests.faults.failover --kills 50

Each time the primary is killed, its synchronous standby is promoted, and the lost one comes back
as the standby. At the end every acknowledged write is there once, and the audit log is whole.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from tests.postgresql_pair import PostgresqlPair, running_pair
from tests.server.load import Load
from tests.server.world import World

CALLERS: Final = 16
SERVERS: Final = 2
WRITES_BACK_SECONDS: Final = 5.0
"""After a promotion (quality.md)."""


def lose_primaries(kills: int, directory: Path) -> tuple[Load, list[float]]:
    """Returns the load, checked, and how many seconds after each promotion every server had
    acknowledged a write.
    """
    with running_pair() as pair, ExitStack() as stack:
        pair.primary.execute("CREATE DATABASE symphony TEMPLATE template0 ENCODING 'UTF8'")
        url = pair.url("symphony")
        migrate(parse_url(url))
        load = Load(
            [stack.enter_context(World(directory, url, rate_limits=False)) for _ in range(SERVERS)]
        )
        seconds = []
        with load.calling(CALLERS):
            for _ in range(kills):
                load.wait_for_answers()
                seconds.append(_lose_one(pair, load))
            load.wait_for_answers()
        load.check()
    return load, seconds


def _lose_one(pair: PostgresqlPair, load: Load) -> float:
    pair.lose_the_primary()
    pair.promote()
    promoted = time.monotonic()
    load.wait_for_answers()
    seconds = time.monotonic() - promoted
    pair.restore_the_standby()
    return seconds


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if writes were back too late."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    kills = parser.parse_args(arguments).kills
    with tempfile.TemporaryDirectory() as directory:
        load, seconds = lose_primaries(kills, Path(directory))
    print(
        f"{kills} primaries killed under {CALLERS} callers of {SERVERS} servers: "
        f"{len(load.made)} writes acknowledged, none lost, none twice; the audit log is whole"
    )
    print(
        f"writes back after a promotion: median {statistics.median(seconds):.2f} s, "
        f"longest {max(seconds):.2f} s (goal {WRITES_BACK_SECONDS:.0f} s)"
    )
    late = sum(second > WRITES_BACK_SECONDS for second in seconds)
    print(f"{kills - late} passed, {late} failed")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
