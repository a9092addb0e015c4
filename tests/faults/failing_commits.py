"""A caller who makes workflows while the system calls fail that make them durable."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from tests.e2e.processes import Server
from tests.faults.system_calls import FailingCalls, Fired
from tests.faults.writes import PAUSE_SECONDS, Write, Writers
from tests.postgresql import Postgresql

PATIENCE_SECONDS: Final = 30.0
CHECKPOINT_CREATES: Final = 400
"""More than fill the write-ahead log up to a checkpoint (1000 pages)."""
ALL: Final = 1000
"""More calls than a create makes."""
KILLED_AT: Final = frozenset({1, 2, *range(10, ALL, 10)})
"""After the failure of these calls the server is killed; as often it is not."""


class Fault(NamedTuple):
    """A call that fails, and how."""

    call: str
    error: str
    lasting: bool
    """Whether all that come after it fail too, until the create is told."""

    def when(self, number: int) -> str:
        """The number-th call, as strace has it."""
        return f"{number}+" if self.lasting else str(number)


@dataclass
class Site:
    """A place on the way of a commit to the disk, and what came of failures there."""

    failures: int = 0
    """Creates that met one."""
    acknowledged: int = 0
    """Of these: their commit needed no call that failed."""
    unknown: int = 0
    kills: int = 0
    longest_seconds: float = 0.0
    """From the end of the fault to the next acknowledgement."""


class FailingCommits:
    """Makes workflows at a server; its own calls fail, or those of PostgreSQL for it."""

    def __init__(
        self, server: Server, postgresql: Postgresql | None, killed_at: Container[int] = KILLED_AT
    ) -> None:
        self._killed_at = killed_at
        self._server = server
        self._postgresql = postgresql
        self._log = server.directory / "calls"
        self._channel = grpc.insecure_channel(server.target)
        file = server.directory / "symphony.db"
        self._files = [file, Path(f"{file}-wal"), Path(f"{file}-shm")]
        self.writers = Writers(server)
        self.sites: dict[str, Site] = {}

    def close(self) -> None:
        """Call no more."""
        self._channel.close()

    def walk(self, fault: Fault, *, most: int = ALL) -> None:
        """Fail the first call of a create, the second, and so on until one has no more of them."""
        for number in range(1, most + 1):
            if not self._meets(fault, number, [self.writers.next_create()], self._files):
                if number == 1:
                    self.writers.ledger.wrong.append(f"a create was durable without {fault.call}")
                break
            if number in self._killed_at:
                again = [self.writers.next_create()]
                self._meets(fault, number, again, self._files, kill=True)

    def walk_checkpoints(self, fault: Fault, numbers: Sequence[int]) -> None:
        """Fail calls on SQLite's file itself, which only checkpoints write to."""
        for number in numbers:
            creates = (self.writers.next_create() for _ in range(CHECKPOINT_CREATES))
            file = self._files[:1]
            if not self._meets(fault, number, creates, file, kill=number in self._killed_at):
                self.writers.ledger.wrong.append(f"no checkpoint came to {fault} {number}")

    def make_one(self) -> None:
        """A create that nothing disturbs; after a checkpoint it begins SQLite's log anew."""
        self._until_acknowledged(self.writers.next_create())

    def start_afresh(self) -> None:
        """Stop the server and start it; the log of what it writes begins anew."""
        if code := self._server.terminate():
            self.writers.ledger.wrong.append(f"the server ended with {code}")
        self._start()

    def _meets(
        self,
        fault: Fault,
        number: int,
        creates: Iterable[Write],
        files: Sequence[Path],
        *,
        kill: bool = False,
    ) -> bool:
        """Make workflows until one meets the fault; returns whether one did."""
        ledger = self.writers.ledger
        told = None
        with FailingCalls(
            self._pid(),
            fault.call,
            fault.error,
            fault.when(number),
            self._log,
            () if self._postgresql else files,
        ) as failing:
            for create in creates:
                told = self.writers.ask_now(self._channel, create)
                if told is None or failing.fired:
                    break
        fired = failing.fired
        if fired:
            site = self._site(fault, fired[0])
            site.failures += 1
            site.acknowledged += told is not None
            site.unknown += told is None
            self._mend(site, kill=kill)
        elif ledger.unknown:
            ledger.wrong.append(f"{[*ledger.unknown]} are unknown though nothing failed")
        for write in [*ledger.unknown.values()]:
            self._until_acknowledged(write)
        return bool(fired)

    def _mend(self, site: Site, *, kill: bool) -> None:
        """Go on after a fault."""
        if self._postgresql is not None:
            # It crashes where its log cannot be written, and starts again by itself.
            self._postgresql.wait_for_answer()
        elif kill:
            # Before another write puts an end to what is left of the failed one.
            site.kills += 1
            self._server.kill()
            self._start()
            return
        ended = time.monotonic()
        self.make_one()
        site.longest_seconds = max(site.longest_seconds, time.monotonic() - ended)

    def _until_acknowledged(self, write: Write) -> None:
        last = time.monotonic() + PATIENCE_SECONDS
        while self.writers.ask_now(self._channel, write) is None:
            assert time.monotonic() < last, f"{write.id} was never acknowledged: {self._server.log}"
            time.sleep(PAUSE_SECONDS)

    def _start(self) -> None:
        self._server.start()
        self._channel.close()
        self._channel = grpc.insecure_channel(self._server.target)

    def _site(self, fault: Fault, first: Fired) -> Site:
        name = Path(first.path).name
        if self._postgresql is not None:
            name = first.path.removeprefix(f"{self._postgresql.directory}/data/").split("/")[0]
        length = "" if first.length is None else f" {first.length} bytes"
        lasting = " lasting" if fault.lasting else ""
        return self.sites.setdefault(f"{first.call} {name}{length}: {first.error}{lasting}", Site())

    def _pid(self) -> int:
        """The process whose calls make a write durable."""
        if self._postgresql is None:
            return self._server.process.pid
        committed = (
            "SELECT pid FROM pg_stat_activity "
            "WHERE application_name = 'symphony' AND query = 'COMMIT'"
        )
        while not (rows := self._postgresql.execute(committed)):
            self.make_one()
        return int(rows[0][0])
