"""`python -m tests.benchmarks.copy_million`: what `symphony copy` takes for many workflows.

Fills a SQLite database past the rules, but with the rows, audit records and changes that real
calls would have left, copies it to PostgreSQL and back, and prints how long that took and how
much memory the command had at most.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Tier, User
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.store.change_log import Standing
from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from symphony_server.store.request_ids import FirstAnswer
from symphony_server.store.transaction import Transaction
from tests.postgresql import running
from tests.server.world import World, spec, step

BATCH: Final = 20_000
STEPS: Final = 10
REMEMBERED: Final = 10
"""Of so many calls one had a request id, and its answer is still remembered."""
_STEPS: Final = tuple(step(f"step{n}", *([f"step{n - 1}"] if n else [])) for n in range(STEPS))
_MEASURED: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
"""
"""From a process of its own, and a small one: a new process is counted as having as much memory as
the one that started it."""
EVALUATION: Final = b"+role.allows\t\t\n+project.relation\t\t\n+tier.workflow_limit\t\t0 owned"


@dataclass(frozen=True)
class Run:
    """How a command went."""

    seconds: float
    peak_mib: float


def main() -> None:
    """Fill, copy there and back, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflows", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="where the files go; a temporary one")
    parser.add_argument("--there-only", action="store_true", help="do not copy back")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as name, running(quick=False) as server:
        directory = Path(name)
        source = f"sqlite:///{directory / 'source.db'}"
        began = time.monotonic()
        fill(directory, source, given.workflows)
        size = (directory / "source.db").stat().st_size >> 20
        print(f"filled {size} MiB in {time.monotonic() - began:.0f} s", flush=True)
        there = server.migrated_database()
        show("SQLite to PostgreSQL", copy(source, there))
        if not given.there_only:
            back = f"sqlite:///{directory / 'back.db'}"
            migrate(parse_url(back))
            show("PostgreSQL to SQLite", copy(there, back))


def copy(source: str, target: str) -> Run:
    """Run the command to its end; it prints its own table."""
    command = str(Path(sys.executable).with_name("symphony"))
    began = time.monotonic()
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURED, command, "copy", "--from", source, "--to", target],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *table, peak_kib = measured.stdout.splitlines()
    print("\n".join(table))
    return Run(time.monotonic() - began, int(peak_kib) / 1024)


def show(what: str, run: Run) -> None:
    """Print the figures of a copy."""
    print(f"{what}: {run.seconds:.0f} s, at most {run.peak_mib:.0f} MiB", flush=True)


def fill(directory: Path, url: str, workflows: int) -> None:
    """Make a database with so many workflows of one user, in one project."""
    with World(directory, url, rate_limits=False) as world:
        owner = world.user(tier=Tier.TIER_ENTERPRISE)
        project = world.project(owner)
    with _quick_transaction(url) as transaction:
        for first in range(0, workflows, BATCH):
            transaction.begin()
            transaction.start_command()
            count = min(BATCH, workflows - first)
            for number in range(first, first + count):
                _create(transaction, owner.user, project, number)
            transaction.users.add_workflows_owned(owner.id, count)
            transaction.projects.add_workflows(project.id, count)
            transaction.seal()
            transaction.commit()


@contextmanager
def _quick_transaction(url: str) -> Iterator[Transaction]:
    session = parse_url(url).open(read_only=False)
    try:
        session.execute("PRAGMA synchronous = off")
        session.execute("PRAGMA cache_size = -400000")
        yield Transaction(session)
    finally:
        session.close()


def _create(transaction: Transaction, owner: User, project: Project, number: int) -> None:
    """What CreateWorkflow leaves in the database."""
    time_us = transaction.time_us + number
    workflow = Workflow(
        id=new_id("workflow"),
        project_id=project.id,
        user_id=owner.id,
        spec=spec(f"workflow {number}", *_STEPS),
        status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
    )
    set_timestamp(workflow.create_time, time_us)
    set_timestamp(workflow.update_time, time_us)
    workflow.etag = f"{time_us:x}"
    request_id = f"request-{number}" if number % REMEMBERED == 0 else ""
    transaction.workflows.insert(
        workflow, name_key=workflow.spec.name, duration_us=STEPS, time_us=time_us
    )
    transaction.changes.append(
        kind=ResourceKind.RESOURCE_KIND_WORKFLOW,
        operation=ChangeOperation.CHANGE_OPERATION_CREATED,
        resource_id=workflow.id,
        project_id=project.id,
        request_id=request_id,
        time_us=time_us,
        resource=workflow.SerializeToString(),
        standing=Standing(owner.id),
    )
    record = AuditRecord(
        id=new_id("audit"),
        request_id=request_id,
        method="symphony.v1.WorkflowService/CreateWorkflow",
        caller_id=owner.id,
        user_id=owner.id,
        resource_id=workflow.id,
        outcome=AuditOutcome.AUDIT_OUTCOME_ALLOWED,
        evaluation=EVALUATION,
        revision=transaction.changes.revision,
        count=1,
    )
    record.decision_id = record.id
    set_timestamp(record.time, time_us)
    transaction.audit.append(record)
    if request_id:
        answer = FirstAnswer(
            bytes(32), workflow.SerializeToString(), record.id, transaction.changes.revision
        )
        transaction.request_ids.remember(owner.id, request_id, answer, time_us=time_us)


if __name__ == "__main__":
    main()
