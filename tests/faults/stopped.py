"""Stops the server, and then its database, with SIGSTOP amid writes, and lets them go on again.

    python -m tests.faults.stopped --rounds 5

Callers with our client make workflows all the time. While the server stands still each of their
calls ends by its deadline, or by keepalive (its times scaled down from 20 s and 5 s). While
PostgreSQL does, all of it or a connection, calls that need it end by their deadline, health tells
of a store that does not answer, and what needs no store goes on. After SIGCONT each caller is
answered within seconds, and what was acknowledged is there, once, with one audit record.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import psycopg

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony_client.errors import NetworkError, to_data_error
from tests.e2e.processes import Server, symphony
from tests.e2e.supervised import children
from tests.faults.health_watcher import NOT_SERVING, SERVING, HealthWatcher
from tests.faults.our_client import KEEPALIVE_MS, client_channel
from tests.faults.patient_callers import CALLERS, TIMEOUT_SECONDS, Callers, Outcome
from tests.postgresql import Postgresql, running

PROBED_SECONDS: Final = 30.0
"""A deadline that keepalive comes long before."""
BACK_SECONDS: Final = 5.0
"""How long after SIGCONT each caller must have been answered."""


@contextmanager
def standing_still(processes: Sequence[int]) -> Iterator[None]:
    """Stop processes for as long as the block lasts."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


async def stop_server(rounds: int, directory: Path) -> Outcome:
    """Stop a server on SQLite again and again; returns what was seen, checked."""
    outcome = Outcome()
    with Server(directory, "--dev", "--no-rate-limits") as server:
        async with Callers(server, outcome) as callers:
            for _ in range(rounds):
                await callers.all_answered()
                async with client_channel(
                    server.target,
                    server.token,
                    timeout_seconds=PROBED_SECONDS,
                    retry_attempts=1,
                    keepalive_ms=KEEPALIVE_MS,
                ) as channel:
                    who: Any = AccessServiceStub(channel).WhoAmI
                    await who(WhoAmIRequest())
                    with standing_still([server.process.pid]):
                        outcome.stops["server"] += 1
                        await asyncio.gather(callers.all_ended(), _noticed(who, outcome))
                    await _back(callers.all_answered, outcome)
        if code := server.terminate():
            outcome.wrong.append(f"the server ended with {code}")
    callers.ledger.check(server)
    outcome.acknowledged = len(callers.ledger.acknowledged)
    return outcome


async def _noticed(who: Any, outcome: Outcome) -> None:
    """Call a server that stands still, over a connection that was good; keepalive must end it."""
    began = time.monotonic()
    try:
        await who(WhoAmIRequest())
    except grpc.RpcError as raised:
        error = to_data_error(raised)
        if isinstance(error, NetworkError):
            outcome.noticed_seconds.append(time.monotonic() - began)
        else:
            outcome.wrong.append(f"keepalive noticed nothing: {type(error).__name__}: {error}")
    else:
        outcome.wrong.append("a server that stands still answered")


async def _back(answered: Callable[[], Any], outcome: Outcome) -> None:
    began = time.monotonic()
    await answered()
    seconds = time.monotonic() - began
    outcome.back_seconds.append(seconds)
    if seconds > BACK_SECONDS:
        outcome.wrong.append(f"callers were answered again after {seconds:.1f} s only")


async def stop_database(rounds: int, directory: Path) -> Outcome:
    """Stop a server's PostgreSQL again and again: all of it, the connection that writes, and one
    that reads; returns what was seen, checked.
    """
    outcome = Outcome()
    with running() as postgresql:
        url = postgresql.migrated_database()
        arguments = ("--dev", "--no-rate-limits", "--database", url)
        with Server(directory, *arguments) as server:
            async with Callers(server, outcome) as callers, AsyncExitStack() as stack:
                health = await stack.enter_async_context(HealthWatcher(server, outcome))
                for _ in range(rounds):
                    await callers.all_answered()
                    with standing_still(_everything(postgresql)):
                        outcome.stops["PostgreSQL"] += 1
                        await asyncio.gather(callers.all_ended(), health.tells(NOT_SERVING))
                    await asyncio.gather(
                        _back(callers.all_answered, outcome), health.tells(SERVING)
                    )
                    # In a thread, for the callers must write meanwhile.
                    writer = await asyncio.to_thread(_writer, url)
                    with standing_still([writer]):
                        outcome.stops["the connection that writes"] += 1
                        await asyncio.gather(callers.all_ended(), health.serves_on())
                    await _back(callers.all_answered, outcome)
                    reader = await asyncio.to_thread(_reader, postgresql, url)
                    with standing_still([reader]):
                        outcome.stops["one that reads"] += 1
                        # The others go on; one call of somebody waits for it.
                        await asyncio.gather(callers.all_ended(), callers.all_answered())
                    await _back(callers.all_answered, outcome)
            if code := server.terminate():
                outcome.wrong.append(f"the server ended with {code}")
        _check(callers, postgresql, url, directory, outcome)
    return outcome


def _check(
    callers: Callers, postgresql: Postgresql, url: str, directory: Path, outcome: Outcome
) -> None:
    made = callers.ledger.acknowledged
    # Nothing else has three parts.
    rows = postgresql.execute("SELECT id FROM workflows WHERE name_key LIKE '%-%-%'", url)
    if sorted(row[0] for row in rows) != sorted(workflow.id for workflow in made.values()):
        outcome.wrong.append(f"{len(rows)} workflows are there, {len(made)} were acknowledged")
    told = symphony("audit", "verify", "--database", url, cwd=directory)
    if told.returncode:
        outcome.wrong.append(f"the audit log is not whole: {told.stderr}")
    outcome.acknowledged = len(made)


def _everything(postgresql: Postgresql) -> list[int]:
    """PostgreSQL's first process and all others."""
    first = int((postgresql.directory / "data" / "postmaster.pid").read_text().split()[0])
    return [first, *children(first)]


def _writer(url: str) -> int:
    """The process of the connection that writes, amid its writing."""
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            row = connection.execute(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            ).fetchone()
            if row is not None:
                return int(row[0])


def _reader(postgresql: Postgresql, url: str) -> int:
    """The process of a connection that reads."""
    rows = postgresql.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'symphony' AND backend_xid IS NULL AND query LIKE '%tokens%' "
        "AND query LIKE 'SELECT%'",
        url,
    )
    return int(rows[0][0])


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(arguments).rounds
    wrong = 0
    for stop in (stop_server, stop_database):
        with tempfile.TemporaryDirectory() as directory:
            outcome = asyncio.run(stop(rounds, Path(directory)))
        wrong += _tell(outcome)
    return 1 if wrong else 0


def _tell(outcome: Outcome) -> int:
    stops = ", ".join(f"{what} {count} times" for what, count in outcome.stops.items())
    told = ", ".join(f"{count} {what}" for what, count in outcome.told.most_common())
    print(
        f"stopped: {stops}; {outcome.acknowledged} writes by {CALLERS} callers acknowledged, none "
        f"lost, none twice"
    )
    print(
        f"calls without an answer: {told}; the longest took {outcome.longest_seconds:.1f} s "
        f"(deadline {TIMEOUT_SECONDS})"
    )
    for name, seconds in (
        (f"keepalive of {KEEPALIVE_MS} ms ended a call", outcome.noticed_seconds),
        ("health told of the store", outcome.unwell_seconds),
        ("all callers answered again", outcome.back_seconds),
    ):
        if seconds:
            print(f"{name} after at most {max(seconds):.2f} s")
    for said in outcome.wrong:
        print(f"FAILED: {said}")
    print(f"{outcome.stops.total()} stops, {len(outcome.wrong)} failed")
    return len(outcome.wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
