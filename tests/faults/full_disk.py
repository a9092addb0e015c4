"""Fills the disk under concurrent writes, again and again, and makes room again.

    python -m tests.faults.full_disk --times 20

Once on a small file system of its own, which needs root, and once by a limit to the size of files.
While there is no room, writes are told that their outcome is unknown, and reads are answered; every
other time the server is killed then, and started before there is room. (SQLite; with PostgreSQL it
is its own disk, see `write_errors`.)
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc

from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.e2e.processes import WAIT_SECONDS, Server
from tests.faults.disk_space import SizeLimit, Space, mounted
from tests.faults.figures import Figure, table
from tests.faults.kept import Verdict, judge, read_kept, verify_audit
from tests.faults.kills import AS_FAST_AS_IT_CAN
from tests.faults.write_errors import BACK_SECONDS
from tests.faults.writes import CALLERS, WriteLedger, Writers

POLL_SECONDS: Final = 0.02


@dataclass
class Outcome:
    """What was seen, checked."""

    way: str
    times: int
    ledger: WriteLedger
    reads: int = 0
    """Answered while there was no room."""
    back_seconds: list[float] = field(default_factory=list)
    """From there being room to the next acknowledgement."""
    verdict: Verdict | None = None
    """Of what was told, once everything is over."""

    @property
    def wrong(self) -> list[str]:
        """All that is wrong, in sentences."""
        assert self.verdict is not None
        return [*self.ledger.wrong, *self.verdict.wrong]

    def row(self) -> dict[str, Figure]:
        """The figures for the table."""
        assert self.verdict is not None
        return {
            "no room by": self.way,
            "times": self.times,
            "acknowledged": len(self.ledger.acknowledged),
            "failed": len(self.ledger.failed),
            "unknown": len(self.ledger.once_unknown),
            "lost": self.verdict.lost,
            "duplicated": self.verdict.duplicated,
            "audit records": self.verdict.audit_records,
            "reads meanwhile": self.reads,
            "back after s": max(self.back_seconds),
        }


class Fillings:
    """A server whose disk is full now and then, and those who write to it."""

    def __init__(self, server: Server, space: Space, outcome: Outcome, writers: Writers) -> None:
        self._server = server
        self._space = space
        self._outcome = outcome
        self._writers = writers

    async def run(self) -> None:
        """Fill it so often, and end when everything is told."""
        writers, outcome = self._writers, self._outcome
        for number in range(outcome.times):
            writing = asyncio.ensure_future(self._writers.write())
            await self._until_acknowledged()
            await self._fill()
            if number % 2:
                writers.over.set()
                self._server.kill()
                await writing
                # It starts on a full disk, if only to answer reads.
                self._server.start()
                self._space.give_back(self._server.process.pid)
            else:
                self._space.give_back(self._server.process.pid)
                began = time.monotonic()
                await self._until_acknowledged()
                outcome.back_seconds.append(time.monotonic() - began)
                writers.over.set()
                await writing
            writers.over.clear()
        await writers.write(only_again=True)

    async def _fill(self) -> None:
        """Take the space; returns when nobody is acknowledged any more, and reads were answered."""
        ledger = self._outcome.ledger
        self._space.take(self._server.process.pid)
        last = time.monotonic() + WAIT_SECONDS
        # When each caller was refused several times in a row, no space is left for any.
        refused, acknowledged = ledger.times_unknown, len(ledger.acknowledged)
        while ledger.times_unknown - refused < 5 * CALLERS:
            if len(ledger.acknowledged) != acknowledged:
                refused, acknowledged = ledger.times_unknown, len(ledger.acknowledged)
            assert time.monotonic() < last, "the disk was never full"
            await asyncio.sleep(POLL_SECONDS)
        async with grpc.aio.insecure_channel(self._server.target) as channel:
            stub: Any = WorkflowServiceStub(channel)
            answer = await stub.ListWorkflows(
                ListWorkflowsRequest(project_id=self._writers.project_id),
                metadata=self._writers.metadata,
                timeout=WAIT_SECONDS,
            )
            self._outcome.reads += bool(answer.workflows)

    async def _until_acknowledged(self) -> None:
        self._writers.acknowledged.clear()
        await asyncio.wait_for(self._writers.acknowledged.wait(), WAIT_SECONDS)


def run(way: str, times: int, directory: Path, space: Space) -> Outcome:
    """Start everything in a directory, fill its disk so often, and return what was seen."""
    url = f"sqlite:///{directory / 'symphony.db'}"
    with Server(directory, *AS_FAST_AS_IT_CAN, "--database", url) as server:
        writers = Writers(server)
        outcome = Outcome(way, times, writers.ledger)
        asyncio.run(Fillings(server, space, outcome, writers).run())
        if code := server.terminate():
            outcome.ledger.wrong.append(f"the server ended with {code}")
    kept = read_kept(url, writers.project_id)
    kept.wrong += verify_audit(url, directory)
    outcome.verdict = judge(kept, outcome.ledger.acknowledged, outcome.ledger.failed)
    return outcome


def run_on_a_small_disk(times: int, directory: Path) -> Outcome | None:
    """See `run`; None where no file system can be mounted."""
    with mounted(directory) as disk:
        return None if disk is None else run("small disk", times, directory, disk)


def run_with_a_size_limit(times: int, directory: Path) -> Outcome:
    """See `run`."""
    return run("size limit", times, directory, SizeLimit(directory / "symphony.db-wal"))


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong, or writes were back too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=6)
    times = parser.parse_args(arguments).times
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        disk = run_on_a_small_disk(times, Path(one))
        outcomes = [*([disk] if disk else []), run_with_a_size_limit(times, Path(other))]
    if disk is None:
        print("a small disk was NOT tried: it takes root to mount one")
    print(table([outcome.row() for outcome in outcomes]))
    wrong = [said for outcome in outcomes for said in outcome.wrong]
    late = max(max(outcome.back_seconds) for outcome in outcomes) > BACK_SECONDS
    for said in wrong:
        print(f"FAILED: {said}")
    if late:
        print(f"FAILED: writes were back too late (goal {BACK_SECONDS:.0f} s)")
    return 1 if wrong or late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
