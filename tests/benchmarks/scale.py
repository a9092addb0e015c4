"""`make bench-scale`: what a call costs among many workflows, beside what it costs among few.

Each engine gets two databases, which are served side by side and called in turn. Prints a table
an engine and adds the ratios to `build/bench-scale.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
from rich.console import Console
from rich.table import Table

from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
)
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.benchmarks.filling import SCATTER, STEPS, Filled, Owner, fill
from tests.benchmarks.load import MARK, Plan
from tests.benchmarks.measure import Subject, measure, ratios, spread
from tests.benchmarks.processes import ROOT, postmaster, serving
from tests.benchmarks.results import figure, name_of
from tests.postgresql import running
from tests.server.world import step

GOAL: Final = 1.2
OWNERS: Final = 10
SERVICE: Final = "/symphony.v1.WorkflowService"
PAGE: Final = 50
MARK_TEXT: Final = MARK.decode()
CREATES: Final = 300
"""Of a round: so few that what is small stays so."""
POSTGRESQL_SETTINGS: Final = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
}
"""As on a small machine of its own; what a checkpoint costs is not any one call's."""

Lists = dict[str, tuple[dict[str, Any], bool]]
"""What to list: the request's fields, and whether the page is one from the middle."""


def main() -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each call in a round")
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--only", default="", help="calls whose names begin so")
    parser.add_argument("--directory", type=Path, help="where the files go; a temporary one")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench-scale.json")
    given = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    for engine in given.engines.split(","):
        with tempfile.TemporaryDirectory(dir=given.directory) as name:
            found |= scale(
                Path(name), engine, (given.few, given.many), given.rounds, given.seconds, given.only
            )
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=2) + "\n")


def scale(
    directory: Path,
    engine: str,
    sizes: tuple[int, int],
    rounds: int,
    seconds: float,
    only: str = "",
) -> dict[str, dict[str, Any]]:
    """The ratios of one engine, by name, once they are printed."""
    with ExitStack() as stack:
        databases = stack.enter_context(_databases(directory, engine, sizes))
        subjects = []
        for filled, database_id in databases:
            place = directory / str(filled.workflows)
            process_id, target = stack.enter_context(serving(place, filled.url))
            subjects.append(
                [
                    Subject(call, f"{filled.workflows:,}", process_id, plan, database_id)
                    for call, plan in _plans(target, filled, seconds).items()
                    if call.startswith(only)
                ]
            )
        # In turn: the same call among few, then among many.
        measure([subject for pair in zip(*subjects, strict=True) for subject in pair], rounds)
    return _show(engine, subjects)


@contextmanager
def _databases(
    directory: Path, engine: str, sizes: tuple[int, int]
) -> Iterator[list[tuple[Filled, int | None]]]:
    """What is filled, with the id of the database's own process."""
    found: list[tuple[Filled, int | None]] = []

    def make(url: str, workflows: int) -> Filled:
        began = time.monotonic()
        place = directory / str(workflows)
        place.mkdir()
        filled = fill(place, url, workflows, OWNERS)
        took = time.monotonic() - began
        print(f"{engine}: filled with {workflows:,} workflows in {took:.0f} s", flush=True)
        return filled

    if engine == "sqlite":
        for workflows in sizes:
            url = f"sqlite:///{directory / f'{workflows}.db'}"
            found.append((make(url, workflows), None))
        yield found
        return
    with running(quick=False, **POSTGRESQL_SETTINGS) as server:
        for workflows in sizes:
            url = server.migrated_database()
            found.append((make(url, workflows), postmaster(server)))
            server.execute("VACUUM ANALYZE", url)  # what autovacuum does in time
        server.execute("CHECKPOINT")
        yield found


def _plans(target: str, filled: Filled, seconds: float) -> dict[str, Plan]:
    """What to call, by name: gets and creates all over the table, pages from both ends."""
    owner = filled.owners[0]
    scattered: dict[str, Any] = {"target": target, "seconds": seconds, "callers": 16}
    scattered |= {"name_step": SCATTER}
    plans = {
        "GetWorkflow": Plan(
            method=f"{SERVICE}/GetWorkflow",
            request=GetWorkflowRequest(id=filled.id_prefix + MARK_TEXT).SerializeToString(),
            metadata=_bearer(filled.admin_secret),
            names=filled.workflows,
            **scattered,
        ),
        "CreateWorkflow": Plan(
            method=f"{SERVICE}/CreateWorkflow",
            request=_new_workflow(owner),
            metadata=_bearer(owner.secret),
            calls=CREATES,
            **scattered,
        ),
    }
    with grpc.insecure_channel(target) as channel:
        workflows = WorkflowServiceStub(channel)
        for what, (fields, is_late) in _lists(owner).items():
            secret = filled.admin_secret if what.startswith("all") else owner.secret
            request = ListWorkflowsRequest(page_size=PAGE, **fields)
            if is_late:
                held = filled.workflows if what.startswith("all") else filled.workflows // OWNERS
                request.page_token = _middle(workflows, request, _bearer(secret), held // 2)
            plans[f"List: {what}"] = Plan(
                method=f"{SERVICE}/ListWorkflows",
                request=request.SerializeToString(),
                metadata=_bearer(secret),
                **scattered,
            )
    return plans


def _lists(owner: Owner) -> Lists:
    return {
        "all, first page": ({}, False),
        "all, middle page": ({}, True),
        "all, by name, middle page": ({"order_by": "name"}, True),
        "seen by a user, first page": ({}, False),
        "seen by a user, middle page": ({}, True),
        "seen by a user, by name, middle": ({"order_by": "name"}, True),
        "of an owner, middle page": ({"user_id": owner.user.id}, True),
        "of a project, first page": ({"project_id": owner.project.id}, False),
        "of a project, by name, middle": (
            {"project_id": owner.project.id, "order_by": "name"},
            True,
        ),
        "of a name's beginning": ({"name_prefix": "5", "order_by": "name"}, False),
    }


def _middle(stub: Any, request: ListWorkflowsRequest, bearer: Any, skip: int) -> str:
    """The token of the page after so many workflows, more or less."""
    asked = ListWorkflowsRequest()
    asked.CopyFrom(request)
    asked.page_size = min(1000, max(skip, 1))
    while skip > 0:
        page = stub.ListWorkflows(asked, metadata=bearer)
        skip -= len(page.workflows)
        asked.page_token = page.next_page_token
    return asked.page_token


def _new_workflow(owner: Owner) -> bytes:
    steps = [step(f"step{n}", *([f"step{n - 1}"] if n else [])) for n in range(STEPS)]
    return CreateWorkflowRequest(
        project_id=owner.project.id, spec=WorkflowSpec(name=f"{MARK_TEXT} new", steps=steps)
    ).SerializeToString()


def _bearer(secret: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {secret}"),)


def _show(engine: str, subjects: list[list[Subject]]) -> dict[str, dict[str, Any]]:
    few, many = subjects
    table = Table(title=f"CPU µs a call, server and database together: {engine}")
    table.add_column("call")
    for name in (few[0].where, many[0].where, "ratio (min-max)", "goal"):
        table.add_column(name, justify="right")
    found = {}
    for one, other in zip(few, many, strict=True):
        grown = ratios(other.all_cpu_us, one.all_cpu_us)
        middle, least, most = spread(grown)
        table.add_row(
            one.call,
            f"{spread(one.all_cpu_us)[0]:.0f}",
            f"{spread(other.all_cpu_us)[0]:.0f}",
            f"{middle:.2f} ({least:.2f}-{most:.2f})",
            f"≤ {GOAL}",
        )
        found[name_of("growth", engine, one.call)] = figure(middle, "ratio", GOAL, "lower")
    Console(width=100).print(table)
    return found


if __name__ == "__main__":
    main()
