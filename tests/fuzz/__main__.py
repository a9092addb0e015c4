"""Feeds the server what nobody should: `make fuzz`, or

    python -m tests.fuzz --seconds 300

Five parts, each with a share of the time: targets under atheris (by hypothesis where it is not
installed), requests generated for every RPC, bytes on the wire, audit logs tampered with, and
credentials nearly right. SQLite and PostgreSQL alike. What is found is told with what found it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tests import engines
from tests.contract.store.audit_world import AuditWorld
from tests.fuzz import audit_mutations, audit_tampering, targets_run
from tests.fuzz.credential_mutations import try_mutations
from tests.fuzz.generated_calls import call_generated
from tests.fuzz.scene import METHODS
from tests.fuzz.wire_bytes import send_bytes
from tests.postgresql import Postgresql, running

SHARES: Final = {"targets": 0.4, "calls": 0.25, "bytes": 0.1, "audit": 0.15, "credentials": 0.1}
KEPT: Final = targets_run.ROOT / "build" / "fuzz"
HEADS: Final = 2000


class Run:
    """One run: where it works, for how long, and what came of it."""

    def __init__(self, seconds: float, start: int, directory: Path, postgresql: Postgresql) -> None:
        self._seconds, self._start = seconds, start
        self._directory, self._postgresql = directory, postgresql
        self.passed = self.failed = 0

    def everything(self) -> None:
        self._targets()
        for engine in engines.ALL:
            self._part(f"generated requests, {engine}", partial(self._calls, engine))
            self._part(f"bytes on the wire, {engine}", partial(self._bytes, engine))
            self._part(f"altered audit logs, {engine}", partial(self._audit, engine))
        self._part("altered tree heads", self._heads)
        self._part("altered credentials", self._credentials)

    def _targets(self) -> None:
        if targets_run.engine() == "with_hypothesis":
            print("atheris is not installed (pip install 'symphony-data[fuzz]'): by hypothesis")
        for outcome in targets_run.run_all(self._seconds * SHARES["targets"], KEPT):
            self._tell(f"target {outcome.name}", f"{outcome.tried} inputs", outcome.failed)

    def _calls(self, engine: str) -> str:
        scene = call_generated(self._url(engine), self._fresh(), self._half("calls"), self._start)
        return (
            f"{scene.calls} requests of {len(METHODS)} RPCs, {scene.refused} refused canonically; "
            "0 UNKNOWN, 0 INTERNAL, 0 leaks, 0 hangs"
        )

    def _bytes(self, engine: str) -> str:
        messages, connections = send_bytes(
            self._url(engine), self._fresh(), self._half("bytes"), self._start
        )
        return f"{messages} messages and {connections} connections; 0 UNKNOWN, 0 INTERNAL, 0 leaks"

    def _audit(self, engine: str) -> str:
        world = AuditWorld(self._url(engine))
        log = audit_mutations.MutatedLog(world, random.Random(self._start))  # noqa: S311
        end = time.monotonic() + self._half("audit")
        for mutate in audit_tampering.ALL:
            log.try_one(mutate)
        while time.monotonic() < end:
            log.try_any()
        log.check_unharmed()
        world.close()
        return (
            f"{log.done.total()} mutations of {len(log.done)} kinds, all found, "
            "the first bad record named"
        )

    def _heads(self) -> str:
        found = audit_mutations.altered_heads(random.Random(self._start), HEADS)  # noqa: S311
        return f"{found} altered, 0 taken for signed"

    def _credentials(self) -> str:
        end = time.monotonic() + self._seconds * SHARES["credentials"]
        chance = random.Random(self._start)  # noqa: S311
        tried = try_mutations(self._fresh(), chance, lambda _: time.monotonic() < end)
        return f"{tried} tried, 0 accepted"

    def _half(self, part: str) -> float:
        return self._seconds * SHARES[part] / len(engines.ALL)

    def _fresh(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._directory))

    def _url(self, engine: str) -> str:
        if engine == engines.SQLITE:
            return f"sqlite:///{self._fresh() / 'symphony.db'}"
        return self._postgresql.migrated_database()

    def _part(self, name: str, work: Callable[[], str]) -> None:
        try:
            said, failed = work(), ""
        except Exception:
            said, failed = "", traceback.format_exc()
        self._tell(name, said, failed)

    def _tell(self, name: str, said: str, failed: str) -> None:
        if failed:
            self.failed += 1
            print(f"{name}: FAILED (--start {self._start})\n{failed}", flush=True)
        else:
            self.passed += 1
            print(f"{name}: {said}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Print what came of each part; returns 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--start", type=int, default=random.randrange(2**31), help="repeats a run")  # noqa: S311
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, running() as postgresql:
        run = Run(asked.seconds, asked.start, Path(directory), postgresql)
        run.everything()
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
