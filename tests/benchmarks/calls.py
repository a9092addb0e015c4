"""Every call on every engine, by one worker and by several, beside its peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.asked import CALLS, Asked, prepare
from tests.benchmarks.measure import Subject, measure, ratios
from tests.benchmarks.peers import ECHO, ETCD, FASTAPI, echo, etcd_put, fastapi
from tests.benchmarks.processes import postmaster, serving
from tests.benchmarks.results import Figure, Figures, name_of
from tests.postgresql import Postgresql, running

SQLITE: Final = "SQLite"
CONNECTIONS: Final = {1: 1, 2: 8}
"""Workers → connections: each is one worker's, and they are to have as much to do."""
TO_ECHO_GOALS: Final = {"get": 1.25, "create": 1.75}
CREATE_TO_ETCD_GOAL: Final = 2.0
RATE_TO_FASTAPI_GOALS: Final = {"get": 4.0, "create": 10.0}
POSTGRESQL_SETTINGS: Final = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Size:
    """How much to measure."""

    rounds: int = 7
    seconds: float = 0.8
    """Of each call in a round."""
    engines: tuple[str, ...] = ("sqlite", "postgresql")
    workers: tuple[int, ...] = (1, 2)
    streams: int = 1000
    changes: int = 20


@dataclass(frozen=True)
class Served:
    """A server to measure."""

    where: str
    url: str
    workers: int
    directory: Path
    process_id: int
    database_id: int | None
    target: str
    asked: Asked


def where(engine: str, workers: int) -> str:
    """How the table calls a server."""
    name = SQLITE if engine == "sqlite" else "PostgreSQL"
    return name if workers == 1 else f"{name}, {workers} workers"


@contextmanager
def all_served(directory: Path, size: Size) -> Iterator[list[Served]]:
    """A server for each engine and number of workers, each on a database of its own."""
    with ExitStack() as stack:
        server = None
        if "postgresql" in size.engines:
            server = stack.enter_context(running(quick=False, **POSTGRESQL_SETTINGS))
        found = []
        for engine in size.engines:
            for workers in size.workers:
                place = directory / f"{engine}-{workers}"
                url = _new_database(engine, place, server)
                process_id, target = stack.enter_context(
                    serving(place, url, workers=workers, token_file="token")
                )
                database_id = postmaster(server) if server and engine == "postgresql" else None
                asked = prepare(target, place / "token")
                found.append(
                    Served(
                        where(engine, workers),
                        url,
                        workers,
                        place,
                        process_id,
                        database_id,
                        target,
                        asked,
                    )
                )
        yield found


def bench_calls(
    directory: Path,
    served: Sequence[Served],
    calls: Sequence[str],
    size: Size,
    told: Callable[[int], None],
) -> list[Subject]:
    """The calls' costs, each beside the same call elsewhere."""
    a_round: dict[str, Any] = {"seconds": size.seconds}
    with ExitStack() as stack:
        asked = served[0].asked
        peers = [
            *stack.enter_context(echo(directory, asked, _one_each(calls), **a_round)),
            *stack.enter_context(fastapi(directory, calls, **a_round)),
            *stack.enter_context(etcd_put(directory, asked, calls, **a_round)),
        ]
        subjects = [
            Subject(
                CALLS[name].name,
                one.where,
                one.process_id,
                one.asked.plan(
                    name, one.target, connections=CONNECTIONS.get(one.workers, 16), **a_round
                ),
                one.database_id,
                CALLS[name].units,
            )
            for name in calls
            for one in served
        ]
        # One kind of call after the other, so that what is compared is measured close together.
        order = [CALLS[name].name for name in calls]
        together = sorted([*peers, *subjects], key=lambda subject: order.index(subject.call))
        measure(together, size.rounds, told)
    return together


def figures(subjects: Sequence[Subject], calls: Sequence[str]) -> Figures:
    """Every figure of the calls, by name."""
    by = {(subject.call, subject.where): subject for subject in subjects}
    found: Figures = {}
    for subject in subjects:
        said = (subject.call, "" if subject.where == SQLITE else subject.where)
        found[name_of(*said, "cpu")] = Figure(subject.cpu_us, "us/call")
        if subject.database_us:
            found[name_of(*said, "database_cpu")] = Figure(subject.database_us, "us/call")
        found[name_of(*said, "rate")] = Figure(subject.rates, "calls/s", "higher")
        echoed = by.get((subject.call, ECHO))
        if echoed and subject.where not in (ECHO, FASTAPI, ETCD):
            name = next(name for name in calls if CALLS[name].name == subject.call)
            found[name_of(*said, "cpu_to_echo")] = Figure(
                ratios(subject.cpu_us, echoed.cpu_us),
                "ratio",
                goal=TO_ECHO_GOALS.get(name) if subject.where == SQLITE else None,
                what=f"{subject.call}: server CPU, times a bare grpcio echo",
            )
    return found | _beside_others(by)


def _beside_others(by: dict[tuple[str, str], Subject]) -> Figures:
    found: Figures = {}
    create = CALLS["create"].name
    mine, put = by.get((create, SQLITE)), by.get((create, ETCD))
    if mine and put:
        found[name_of(create, "cpu_to_etcd_put")] = Figure(
            ratios(mine.cpu_us, put.cpu_us),
            "ratio",
            goal=CREATE_TO_ETCD_GOAL,
            what=f"{create}: server CPU, times etcd's put",
        )
    for name, goal in RATE_TO_FASTAPI_GOALS.items():
        call = CALLS[name].name
        mine, peer = by.get((call, SQLITE)), by.get((call, FASTAPI))
        if mine and peer:
            found[name_of(call, "rate_to_fastapi")] = Figure(
                ratios(mine.rates, peer.rates),
                "ratio",
                "higher",
                goal,
                f"{call}: calls a second, times FastAPI's",
            )
    return found


def _one_each(calls: Sequence[str]) -> list[str]:
    """Those of which an echo says something: not where one call counts for many."""
    return [name for name in calls if CALLS[name].units == 1]


def _new_database(engine: str, place: Path, server: Postgresql | None) -> str:
    return server.empty_database() if server and engine == "postgresql" else f"sqlite:///{place}.db"
