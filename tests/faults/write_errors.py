"""Lets each system call fail that a create needs to be durable, one after the other.

    python -m tests.faults.write_errors --engine sqlite
    python -m tests.faults.write_errors --engine postgresql

With SQLite they are the server's own calls, on the database file and its log; with PostgreSQL those
of the process that serves the server's writes. A create that meets the fault is acknowledged, or
told as unknown; then writes are acknowledged again, or the server is killed before it can mend
anything. At the end nothing acknowledged is lost, and what was unknown and asked again is there
once. Needs strace.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import engines
from tests.e2e.processes import Server
from tests.faults.failing_commits import ALL, KILLED_AT, FailingCommits, Fault, Site
from tests.faults.figures import Figure, table
from tests.faults.kept import Verdict, judge, read_kept, verify_audit
from tests.faults.kills import AS_FAST_AS_IT_CAN, database
from tests.faults.system_calls import cannot_inject
from tests.faults.writes import WriteLedger

BACK_SECONDS: Final = 1.0
"""From the end of a fault to the next acknowledgement (quality.md)."""
ONCE: Final = (
    Fault("pwrite64", "EIO", lasting=False),
    Fault("fdatasync", "EIO", lasting=False),
)
LASTING: Final = (
    Fault("pwrite64", "ENOSPC", lasting=True),
    Fault("fdatasync", "EIO", lasting=True),
)
FAULTS: Final = (*ONCE, *LASTING)
OTHERS: Final = (
    Fault("pwrite64", "ENOSPC", lasting=False),
    Fault("pwrite64", "EIO", lasting=True),
    Fault("fdatasync", "ENOSPC", lasting=True),
)
FIRST: Final = 2
"""The first commit after a start writes the head of the log too, and syncs it."""
CHECKPOINT_CALLS: Final = {"pwrite64": (1, 2, 3, 50), "fdatasync": (1,)}
"""Which calls of a checkpoint fail: a write for each page that has changed, and a sync."""


@dataclass
class Outcome:
    """What was seen, checked."""

    sites: dict[str, Site]
    ledger: WriteLedger
    verdict: Verdict

    @property
    def wrong(self) -> list[str]:
        """All that is wrong, in sentences."""
        return [*self.ledger.wrong, *self.verdict.wrong]

    @property
    def back_seconds(self) -> float:
        """The longest that it took to acknowledge writes again."""
        return max(site.longest_seconds for site in self.sites.values())

    def rows(self) -> Iterator[dict[str, Figure]]:
        """The figures for the table."""
        for name, site in self.sites.items():
            yield {
                "site and error": name,
                "failures": site.failures,
                "acknowledged": site.acknowledged,
                "unknown": site.unknown,
                "then killed": site.kills,
                "back after s": site.longest_seconds,
            }


def run(
    engine: str,
    directory: Path,
    faults: Sequence[Fault],
    *,
    most: int = ALL,
    checkpoint_calls: Mapping[str, Sequence[int]] = CHECKPOINT_CALLS,
    killed_at: Container[int] = KILLED_AT,
) -> Outcome:
    """Start everything, walk over the calls, at most so many of a kind, and return what was seen.

    After those of `killed_at` the server is killed.
    """
    with database(engine, directory) as (url, postgresql):
        with Server(directory, *AS_FAST_AS_IT_CAN, "--database", url) as server:
            with closing(FailingCommits(server, postgresql, killed_at)) as commits:
                ledger = commits.writers.ledger
                for fault in faults:
                    if postgresql is None:
                        commits.start_afresh()
                        commits.walk(fault, most=FIRST)
                        commits.walk_checkpoints(fault, checkpoint_calls[fault.call])
                    commits.make_one()
                    commits.walk(fault, most=most)
            if code := server.terminate():
                ledger.wrong.append(f"the server ended with {code}")
        kept = read_kept(url, commits.writers.project_id)
        kept.wrong += verify_audit(url, directory)
        verdict = judge(kept, ledger.acknowledged, ledger.failed)
    return Outcome(commits.sites, ledger, verdict)


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong, or writes were back too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=engines.ALL, default=engines.SQLITE)
    parser.add_argument("--long", action="store_true", help="each call in more ways")
    options = parser.parse_args(arguments)
    if reason := cannot_inject():
        print(f"write errors were NOT tried: {reason}")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        outcome = run(options.engine, Path(directory), FAULTS + OTHERS * options.long)
    print(table([*outcome.rows()]))
    failures = sum(site.failures for site in outcome.sites.values())
    print(
        f"{options.engine}: {failures} creates failed in {len(outcome.sites)} ways, "
        f"{outcome.verdict.lost} acknowledged lost, {outcome.verdict.duplicated} duplicated, "
        f"{outcome.verdict.audit_records} audit records of {len(outcome.ledger.acknowledged)} "
        f"acknowledged; writes back at the latest after {outcome.back_seconds:.2f} s "
        f"(goal {BACK_SECONDS:.0f} s); took {time.monotonic() - began:.0f} s"
    )
    for said in outcome.wrong:
        print(f"FAILED: {said}")
    return 1 if outcome.wrong or outcome.back_seconds > BACK_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
