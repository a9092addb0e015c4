"""Kills the server, or its database, under concurrent writes, again and again.

    python -m tests.faults.kills --engine sqlite --kills 1000
    python -m tests.faults.kills --engine postgresql --victim database --kills 100

It is the same database all the time. Each writer notes what it was told; what it was not told, it
asks again with the same request id, at the server that comes next. At the end everything that was
acknowledged is there once, with one audit record, and nothing else is; the audit log verifies.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import engines
from tests.e2e.processes import WAIT_SECONDS, Server
from tests.faults.figures import Figure, table
from tests.faults.kept import Verdict, judge, read_kept, verify_audit
from tests.faults.writes import WriteLedger, Writers
from tests.postgresql import Postgresql, running

AS_FAST_AS_IT_CAN: Final = ("--dev", "--no-rate-limits")
LOAD_SECONDS: Final = (0.0, 0.3)
"""From the first acknowledgement to the kill."""
SERVER: Final = "server"
DATABASE: Final = "database"


@dataclass
class Outcome:
    """What was seen, checked."""

    engine: str
    victim: str
    kills: int
    ledger: WriteLedger
    verdict: Verdict
    seconds: float
    back_seconds: list[float]
    """Kill by kill: until the next acknowledgement."""

    @property
    def wrong(self) -> list[str]:
        """All that is wrong, in sentences."""
        return [*self.ledger.wrong, *self.verdict.wrong]

    def row(self) -> dict[str, Figure]:
        """The figures for the table."""
        return {
            "engine": self.engine,
            "killed": self.victim,
            "kills": self.kills,
            "acknowledged": len(self.ledger.acknowledged),
            "failed": len(self.ledger.failed),
            "unknown": len(self.ledger.once_unknown),
            "lost": self.verdict.lost,
            "duplicated": self.verdict.duplicated,
            "audit records": self.verdict.audit_records,
            "back after s": max(self.back_seconds),
            "seconds": self.seconds,
        }


class Storm:
    """A server, its database, and those who write to it."""

    def __init__(self, server: Server, postgresql: Postgresql | None) -> None:
        self._server = server
        self._postgresql = postgresql
        self.writers = Writers(server)
        self.back_seconds: list[float] = []

    async def kill_servers(self, kills: int) -> None:
        """End the server as a power cut would, and start another."""
        writers = self.writers
        since = time.monotonic()
        for _ in range(kills):
            writers.over.clear()
            writing = asyncio.ensure_future(writers.write())
            await self._acknowledged(writing, since)
            await asyncio.sleep(random.uniform(*LOAD_SECONDS))  # noqa: S311 - any will do
            writers.over.set()
            since = time.monotonic()
            self._server.kill()
            await writing
            self._server.start()
        writers.over.clear()
        await writers.write(only_again=True)

    async def kill_databases(self, kills: int) -> None:
        """Crash the database under a server that goes on, and start it again."""
        assert self._postgresql is not None
        writers = self.writers
        writing = asyncio.ensure_future(writers.write())
        since = time.monotonic()
        for number in range(kills):
            await self._acknowledged(writing, since)
            await asyncio.sleep(random.uniform(*LOAD_SECONDS))  # noqa: S311 - any will do
            # At once by its own means, or as a killed postmaster leaves the others behind.
            how = signal.SIGKILL if number % 2 else signal.SIGQUIT
            since = time.monotonic()
            await asyncio.to_thread(self._crash, how)
        await self._acknowledged(writing, since)
        writers.over.set()
        await writing
        writers.over.clear()
        await writers.write(only_again=True)

    def _crash(self, how: signal.Signals) -> None:
        assert self._postgresql is not None
        self._postgresql.stop(how=how)
        self._postgresql.start_after_a_crash()

    async def _acknowledged(self, writing: asyncio.Future[None], since: float) -> None:
        """Return at the next acknowledgement."""
        self.writers.acknowledged.clear()
        waiting = asyncio.ensure_future(self.writers.acknowledged.wait())
        await asyncio.wait(
            (waiting, writing), timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        assert self.writers.acknowledged.is_set(), (
            f"nothing was acknowledged: {self.writers.ledger.wrong[-1:]} {self._server.log[-2000:]}"
        )
        self.back_seconds.append(time.monotonic() - since)


@contextmanager
def database(engine: str, directory: Path) -> Iterator[tuple[str, Postgresql | None]]:
    """The URL of a new database, and its server if it has one."""
    if engine == engines.SQLITE:
        yield f"sqlite:///{directory / 'symphony.db'}", None
        return
    # With every sync: what a process may lose that is killed is to be all of it.
    with running(quick=False) as postgresql:
        yield postgresql.empty_database(), postgresql


def run(engine: str, kills: int, directory: Path, victim: str = SERVER) -> Outcome:
    """Start everything, kill so often, and return what was seen."""
    began = time.monotonic()
    with database(engine, directory) as (url, postgresql):
        with Server(directory, *AS_FAST_AS_IT_CAN, "--database", url) as server:
            storm = Storm(server, postgresql)
            if victim == SERVER:
                asyncio.run(storm.kill_servers(kills))
            else:
                asyncio.run(storm.kill_databases(kills))
            writers, ledger = storm.writers, storm.writers.ledger
            if code := server.terminate():
                ledger.wrong.append(f"the server ended with {code}: {server.log[-2000:]}")
        if ledger.unknown:
            ledger.wrong.append(f"{len(ledger.unknown)} writes are unknown still")
        kept = read_kept(url, writers.project_id)
        kept.wrong += verify_audit(url, directory)
        verdict = judge(kept, ledger.acknowledged, ledger.failed)
    seconds = time.monotonic() - began
    return Outcome(engine, victim, kills, ledger, verdict, seconds, storm.back_seconds)


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=engines.ALL, default=engines.SQLITE)
    parser.add_argument("--victim", choices=(SERVER, DATABASE), default=SERVER)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args(arguments)
    if options.victim == DATABASE and options.engine == engines.SQLITE:
        parser.error("SQLite is no process of its own; kill the server")
    with tempfile.TemporaryDirectory() as directory:
        outcome = run(options.engine, options.kills, Path(directory), options.victim)
    print(table([outcome.row()]))
    for said in outcome.wrong:
        print(f"FAILED: {said}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
