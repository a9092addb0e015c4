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
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from tests.faults.figures import Figure, table
from tests.faults.kept import Verdict, judge, read_kept, verify_audit
from tests.faults.writes import UNKNOWN, Told
from tests.postgresql_pair import PostgresqlPair, running_pair
from tests.server.load import Load
from tests.server.world import Answer, World

CALLERS: Final = 16
SERVERS: Final = 2
WRITES_BACK_SECONDS: Final = 5.0
"""After a promotion (quality.md)."""
CALM_SECONDS: Final = 0.2
"""Between two calls of a caller while the standby is made anew, of which a copy of everything is
most: so that hundreds of losses leave a database that is copied soon."""


@dataclass
class Outcome:
    """What was seen, checked."""

    kills: int
    times_unknown: int
    acknowledged: int
    verdict: Verdict
    back_seconds: list[float]
    """Kill by kill: from the promotion until every server had acknowledged a write."""
    seconds: float
    wrong: list[str]
    """All that is wrong, in sentences."""

    def row(self) -> dict[str, Figure]:
        """The figures for the table."""
        return {
            "killed": "primary",
            "kills": self.kills,
            "acknowledged": self.acknowledged,
            "failed": 0,
            "unknown": self.times_unknown,
            "lost": self.verdict.lost,
            "duplicated": self.verdict.duplicated,
            "audit records": self.verdict.audit_records,
            "back after s": statistics.median(self.back_seconds),
            "at the latest": max(self.back_seconds),
            "seconds": self.seconds,
        }


def lose_primaries(kills: int, directory: Path) -> Outcome:
    """Start everything, lose so many primaries, and return what was seen."""
    began = time.monotonic()
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
        load.ask_again()
        kept = read_kept(url, load.project.id)
        kept.wrong += verify_audit(url, directory)
    verdict = judge(kept, {name: _told(answer) for name, answer in load.answers.items()})
    wrong = [*verdict.wrong, *(f"refused for {each}" for each in load.refusals - {UNKNOWN})]
    if load.unknown:
        wrong.append(f"{len(load.unknown)} writes are unknown still")
    took = time.monotonic() - began
    return Outcome(kills, load.times_unknown, len(load.made), verdict, seconds, took, wrong)


def _lose_one(pair: PostgresqlPair, load: Load) -> float:
    pair.lose_the_primary()
    pair.promote()
    promoted = time.monotonic()
    load.wait_for_answers()
    seconds = time.monotonic() - promoted
    load.pause_seconds = CALM_SECONDS
    pair.restore_the_standby()
    load.pause_seconds = 0.0
    return seconds


def _told(answer: Answer) -> Told:
    return Told("CreateWorkflow", answer.response.id, answer.revision, answer.decision_id)


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong, or writes were back too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    kills = parser.parse_args(arguments).kills
    with tempfile.TemporaryDirectory() as directory:
        outcome = lose_primaries(kills, Path(directory))
    print(f"{CALLERS} callers of {SERVERS} servers (goal: back after {WRITES_BACK_SECONDS:.0f} s)")
    print(table([outcome.row()]))
    for said in outcome.wrong:
        print(f"FAILED: {said}")
    late = sum(second > WRITES_BACK_SECONDS for second in outcome.back_seconds)
    if late:
        print(f"FAILED: writes were back too late {late} times")
    return 1 if late or outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
