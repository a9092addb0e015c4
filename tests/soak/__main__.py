"""Serves mixed traffic for an hour, and looks whether the server grows.

    python -m tests.soak --minutes 60

Visitors get, list, create, update and delete, do transactions, install extensions, watch and leave,
give calls up, are refused, and send garbage. All that they make they remove, so that what grows is
a leak and not data; only the audit log grows, on disk. Every five seconds the server's resident
memory, file descriptors and threads are written to build/soak.csv. After a warm-up, in which the
database's caches are filled, a straight line is laid through the memory by least squares; its slope
is the result. The figure goes to docs/assets, or to build when the run is too short to say much.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from tests.e2e.place import Place
from tests.e2e.processes import Server
from tests.server.scraping import Scrape
from tests.soak.drawing import draw
from tests.soak.samples import JUDGED_MINUTES, WARM_UP, Judgement, Sample, Table, judge, take
from tests.soak.traffic import Traffic

ROOT: Final = Path(__file__).parents[2]
CALLS_PER_SECOND: Final = 150.0
SAMPLE_SECONDS: Final = 5.0
REST_SECONDS: Final = 5.0
"""Nobody is connected for so long before what the server holds at rest is noted."""
LOOKS: Final = 10
SIGNS: Final = ("Traceback", '"fault"', '"level": "error"')
SHOWN: Final = 5
RETENTION_SECONDS: Final = 60
"""Changes are kept no longer, so that the change log does not grow either."""


@dataclass
class Soak:
    """What a run found."""

    samples: list[Sample]
    warm_up_seconds: float
    judgement: Judgement
    rest: Sample
    """At rest at the end."""
    traffic: Traffic
    faults: list[str]
    """What is wrong, in sentences."""


class _Watched:
    """A server under traffic, sampled all the time."""

    def __init__(self, server: Server, traffic: Traffic, table: Table) -> None:
        self._server = server
        self._traffic = traffic
        self._table = table
        self._metrics = server.metrics_address
        self._began = time.monotonic()
        self.samples: list[Sample] = []

    def now(self) -> Sample:
        seconds = time.monotonic() - self._began
        return take(self._server.process.pid, seconds, self._traffic.pace.turns)

    async def sample(self) -> None:
        """Note what the server holds, over and over, and read its metrics as Prometheus does."""
        while True:
            self.samples.append(self.now())
            self._table.add(self.samples[-1])
            await asyncio.to_thread(Scrape, self._metrics)
            await asyncio.sleep(SAMPLE_SECONDS)

    async def rest(self) -> Sample:
        """What the server holds when nobody calls. `sample` goes on to read its metrics, over a
        connection that is open for a moment: so the least of several looks counts.
        """
        await asyncio.sleep(REST_SECONDS)
        looks = []
        for _ in range(LOOKS):
            looks.append(self.now())
            await asyncio.sleep(REST_SECONDS / LOOKS)
        return min(looks, key=lambda look: look.file_descriptors)


async def soak(directory: Path, minutes: float, table: Table) -> Soak:
    """Run a server in a directory under traffic for so long, and fill the table."""
    variables = {
        "SYMPHONY_LISTEN": "127.0.0.1:0",
        "SYMPHONY_DEV": "1",
        "SYMPHONY_METRICS": "127.0.0.1:0",
        "SYMPHONY_CHANGE_RETENTION_SECONDS": str(RETENTION_SECONDS),
    }
    with (
        Server(directory, variables=variables) as server,
        grpc.insecure_channel(server.target) as channel,
    ):
        traffic = Traffic(Place(server, channel), CALLS_PER_SECOND)
        channel.close()
        found = await _measure(_Watched(server, traffic, table), traffic, minutes)
        if code := server.terminate():
            found.faults.append(f"the server ended with {code}")
        found.faults += _complaints(server.log)
        return found


def _complaints(log: str) -> list[str]:
    """The first of the lines in which a server finds fault with itself, and how many there are."""
    lines = [line for line in log.splitlines() if any(sign in line for sign in SIGNS)]
    more = [f"{len(lines)} such lines are in the server's log"] if len(lines) > SHOWN else []
    return [*lines[:SHOWN], *more]


async def _measure(watched: _Watched, traffic: Traffic, minutes: float) -> Soak:
    sampling = asyncio.create_task(watched.sample())
    warm_up_seconds = minutes * 60 * WARM_UP
    await traffic.run(warm_up_seconds)
    await traffic.read_audit_log()
    rest = await watched.rest()
    warm = len(watched.samples)
    warm_up_seconds = watched.now().seconds
    await traffic.run(max(minutes * 60 - warm_up_seconds, SAMPLE_SECONDS * 3))
    measured = watched.samples[warm:]
    last_rest = await watched.rest()
    sampling.cancel()
    judgement = judge(measured, rest, last_rest)
    faults = [*judgement.faults, *(f"{said} ({n} times)" for said, n in traffic.unexpected.items())]
    return Soak(watched.samples, warm_up_seconds, judgement, last_rest, traffic, faults)


def main(arguments: Sequence[str]) -> int:
    """Print what was found; returns 1 if the server grew or anything else was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--csv", type=Path, default=ROOT / "build" / "soak.csv")
    parser.add_argument("--figures", type=Path, help="the folder of soak.png and soak.svg")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(soak(Path(directory), options.minutes, Table(options.csv)))
    judgement = found.judgement
    long_enough = judgement.minutes >= JUDGED_MINUTES
    into = options.figures or (ROOT / "docs" / "assets" if long_enough else ROOT / "build")
    draw(found.samples, judgement, warm_up_seconds=found.warm_up_seconds, into=into)
    first, last = found.samples[0], found.samples[-1]
    told = ", ".join(f"{n} {code}" for code, n in found.traffic.told.most_common())
    print(
        f"{last.calls} calls and streams in {last.seconds / 60:.1f} minutes ({told}); "
        f"{found.traffic.changes} changes told to watchers"
    )
    print(
        f"resident memory {first.rss_mib:.1f} MiB at the start, {last.rss_mib:.1f} at the end; "
        f"slope {judgement.slope_mib_per_hour:+.2f} MiB/h over the last {judgement.minutes:.1f} "
        f"minutes (goal 1{'' if long_enough else '; too short a time to judge by it'})"
    )
    print(f"file descriptors {found.rest.file_descriptors}, threads {found.rest.threads} at rest")
    for fault in found.faults:
        print(f"FAILED: {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
