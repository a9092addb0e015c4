"""Cuts and half-opens a connection at each byte boundary of a call, in either direction.

    python -m tests.faults.connections --every 1

Each boundary has a client of ours of its own, behind a proxy of its own, that makes one workflow.
The connection is cut there, or it falls silent: then the client ends it by its keepalive (its times
scaled down from 20 s to 0.3 s) or the call ends by its deadline. Whatever the call was told, it is
made again with the same request id, and must have had one effect, with one audit record. Meanwhile
somebody else is served all the time, and at the end the server holds nothing of any of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import grpc

from tests.e2e.place import Place
from tests.e2e.processes import Server
from tests.faults.broken_calls import Outcome, Trial
from tests.soak.samples import take

HELD_UP_SECONDS: Final = 5.0
"""The longest that somebody else may wait for an answer meanwhile, on a busy machine."""
THREADS_MORE: Final = 4
MAY_NOT_FIRE: Final = 0.05
"""The part of the boundaries that a shorter exchange may not reach: HTTP/2 is not the same to the
byte from call to call."""


def run(every: int, directory: Path, *, patient: bool = False) -> Outcome:
    """Start a server, and return what was seen; everything is checked but for `judge`."""
    arguments = ("--dev", "--no-rate-limits", "--metrics", "127.0.0.1:0")
    with Server(directory, *arguments) as server:
        with grpc.insecure_channel(server.target) as channel:
            place = Place(server, channel)
            owner = place.user()
            project = place.project(owner)
        made = Trial(server, project.id, owner.secret or "")
        before = take(server.process.pid, 0, 0)
        asyncio.run(made.run(every, patient=patient))
        _nothing_left(server, before.threads, before.file_descriptors, made.outcome)
        if code := server.terminate():
            made.outcome.wrong.append(f"the server ended with {code}")
    made.ledger.check(server)
    return made.outcome


def _nothing_left(server: Server, threads: int, descriptors: int, outcome: Outcome) -> None:
    """Hold what the server has when everybody has left against what it had before."""
    held = take(server.process.pid, 0, 0)
    last = time.monotonic() + 10
    # Reading threads open the database when they are first needed: a connection is two files.
    while held.file_descriptors > descriptors + 8 and time.monotonic() < last:
        time.sleep(0.1)
        held = take(server.process.pid, 0, 0)
    if held.file_descriptors > descriptors + 8:
        outcome.wrong.append(f"{held.file_descriptors} files are open, {descriptors} were before")
    if held.threads > threads + THREADS_MORE:
        outcome.wrong.append(f"there are {held.threads} threads, {threads} before")


def judge(outcome: Outcome) -> list[str]:
    """What is wrong, in sentences."""
    wrong = list(outcome.wrong)
    for (kind, way), tried in outcome.tried.items():
        if tried.boundaries - tried.fired > MAY_NOT_FIRE * tried.boundaries:
            wrong.append(f"{kind}, {way.value}: {tried.fired} of {tried.boundaries} happened")
    if outcome.others_longest_seconds > HELD_UP_SECONDS:
        wrong.append(f"somebody else waited {outcome.others_longest_seconds:.1f} s for an answer")
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="try one boundary of so many")
    parser.add_argument(
        "--patient",
        action="store_true",
        help="wait for the client's keepalive as it is (25 s), and for the server's (two minutes)",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        outcome = run(options.every, Path(directory), patient=options.patient)
    for (kind, way), tried in outcome.tried.items():
        told = ", ".join(f"{count} {what}" for what, count in tried.told.most_common())
        print(
            f"{kind}, {way.value}: {tried.fired} of {tried.boundaries} boundaries; "
            f"{told}; the longest call took {tried.longest_seconds:.1f} s"
        )
    print(
        f"somebody else was served {outcome.others} times meanwhile, "
        f"at the latest after {outcome.others_longest_seconds:.2f} s"
    )
    if outcome.dropped:
        print(
            f"the server ended the {outcome.dropped} half-open connections by itself, "
            f"the last {outcome.dropped_seconds:.0f} s after the last call"
        )
    wrong = judge(outcome)
    for said in wrong:
        print(f"FAILED: {said}")
    boundary_count = sum(tried.boundaries for tried in outcome.tried.values())
    print(f"{boundary_count} boundaries: one effect and one audit record each; {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
