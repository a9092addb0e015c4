"""Loses the primary of a PostgreSQL pair under load, again and again.

    python -m tests.faults.failover --kills 50
    python -m tests.faults.failover --patroni --kills 10

Each time the primary is killed, its synchronous standby is promoted, and the lost one comes back
as the standby: by this program, or by Patroni. At the end every acknowledged write is there once,
and the audit log is whole.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from tests.faults.figures import Figure, table
from tests.faults.kept import Verdict, judge, read_kept, verify_audit
from tests.faults.writes import UNKNOWN, Told
from tests.patroni_cluster import cannot_run, running_patroni
from tests.postgresql_pair import running_pair
from tests.server.load import Load
from tests.server.world import Answer, World

CALLERS: Final = 16
SERVERS: Final = 2
WRITES_BACK_SECONDS: Final = 5.0
"""After a promotion (quality.md)."""
CALM_SECONDS: Final = 0.2
"""Between two calls of a caller while there is no primary, and while the standby is made anew, of
which a copy of everything may be most: so that hundreds of losses leave a database that is copied
soon. What is measured is longer by up to this."""


class Cluster(Protocol):
    """A primary and its synchronous standby, of which either may be lost."""

    unnoticed_seconds: float
    """The longest from the loss of a primary until its standby begins to be promoted."""

    def make_database(self, name: str) -> str:
        """Returns the URL by which a server finds whichever of them takes writes."""

    def lose_the_primary(self) -> None:
        """Kill the primary as if its machine were gone."""

    def fail_over(self) -> None:
        """Return once the standby is the primary and takes writes."""

    def restore_the_standby(self) -> None:
        """Bring the lost one back, and return once each COMMIT waits for it."""


class Back(NamedTuple):
    """How long it took until every server had acknowledged a write, in seconds."""

    after_loss: float
    after_promotion: float


@dataclass
class Outcome:
    """What was seen, checked."""

    kills: int
    times_unknown: int
    acknowledged: int
    verdict: Verdict
    back: list[Back]
    """Kill by kill."""
    unnoticed_seconds: float
    """The longest from a kill until a promotion begins."""
    seconds: float
    wrong: list[str]
    """All that is wrong, in sentences."""

    def late(self) -> int:
        """How often writes were back later than they should be."""
        return sum(
            each.after_promotion > WRITES_BACK_SECONDS
            or each.after_loss > self.unnoticed_seconds + WRITES_BACK_SECONDS
            for each in self.back
        )

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
            "back after the kill s": statistics.median(each.after_loss for each in self.back),
            "at most": max(each.after_loss for each in self.back),
            "after the promotion s": statistics.median(each.after_promotion for each in self.back),
            "at the latest": max(each.after_promotion for each in self.back),
            "seconds": self.seconds,
        }


def lose_primaries(
    kills: int,
    directory: Path,
    start: Callable[[], AbstractContextManager[Cluster]] = running_pair,
) -> Outcome:
    """Start everything, lose so many primaries, and return what was seen."""
    began = time.monotonic()
    with start() as cluster, ExitStack() as stack:
        url = cluster.make_database("symphony")
        migrate(parse_url(url))
        load = Load(
            [stack.enter_context(World(directory, url, rate_limits=False)) for _ in range(SERVERS)]
        )
        back = []
        with load.calling(CALLERS):
            for _ in range(kills):
                load.wait_for_answers()
                back.append(_lose_one(cluster, load))
            load.wait_for_answers()
        load.ask_again()
        kept = read_kept(url, load.project.id)
        kept.wrong += verify_audit(url, directory)
    verdict = judge(kept, {name: _told(answer) for name, answer in load.answers.items()})
    wrong = [*verdict.wrong, *(f"refused for {each}" for each in load.refusals - {UNKNOWN})]
    if load.unknown:
        wrong.append(f"{len(load.unknown)} writes are unknown still")
    return Outcome(
        kills=kills,
        times_unknown=load.times_unknown,
        acknowledged=len(load.made),
        verdict=verdict,
        back=back,
        unnoticed_seconds=cluster.unnoticed_seconds,
        seconds=time.monotonic() - began,
        wrong=wrong,
    )


def _lose_one(cluster: Cluster, load: Load) -> Back:
    lost = time.monotonic()
    cluster.lose_the_primary()
    load.pause_seconds = CALM_SECONDS
    cluster.fail_over()
    promoted = time.monotonic()
    load.wait_for_answers()
    answered = time.monotonic()
    cluster.restore_the_standby()
    load.pause_seconds = 0.0
    return Back(answered - lost, answered - promoted)


def _told(answer: Answer) -> Told:
    return Told("CreateWorkflow", answer.response.id, answer.revision, answer.decision_id)


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong, or writes were back too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--patroni", action="store_true", help="let Patroni promote and restore")
    asked = parser.parse_args(arguments)
    if asked.patroni and (reason := cannot_run()):
        print(f"failover by Patroni was NOT tried: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        start = running_patroni if asked.patroni else running_pair
        outcome = lose_primaries(asked.kills, Path(directory), start)
    noticed = f", which begins {outcome.unnoticed_seconds:.0f} s after the kill at the latest"
    print(
        f"{CALLERS} callers of {SERVERS} servers (goal: back {WRITES_BACK_SECONDS:.0f} s after the "
        f"promotion{noticed if outcome.unnoticed_seconds else ''})"
    )
    print(table([outcome.row()]))
    for said in outcome.wrong:
        print(f"FAILED: {said}")
    if outcome.late():
        print(f"FAILED: writes were back too late {outcome.late()} times")
    return 1 if outcome.late() or outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
