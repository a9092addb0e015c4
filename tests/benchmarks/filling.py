"""Databases with many workflows, made in little time.

Past the rules, but with the rows, audit records and changes that real calls would have left.
"""

from __future__ import annotations

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
from symphony_server.store.request_ids import FirstAnswer
from symphony_server.store.transaction import Transaction
from tests.server.world import World, spec, step

BATCH: Final = 20_000
STEPS: Final = 10
REMEMBERED: Final = 10
"""Of so many calls one had a request id, and its answer is still remembered."""
NAMES: Final = 10**8
SCATTER: Final = 61_803_399
"""Has no factor in common with `NAMES`: its multiples meet every number below it, in no order that
an index would like."""
EVALUATION: Final = b"+role.allows\t\t\n+project.relation\t\t\n+tier.workflow_limit\t\t0 owned"
_STEPS: Final = tuple(step(f"step{n}", *([f"step{n - 1}"] if n else [])) for n in range(STEPS))
_QUICKLY: Final = {
    "sqlite": ("PRAGMA synchronous = off", "PRAGMA cache_size = -400000"),
    "postgresql": (
        "SET synchronous_commit = off",
        # Sealing a batch on a busy machine takes a while.
        "SET idle_in_transaction_session_timeout = 0",
    ),
}


@dataclass(frozen=True)
class Owner:
    """A user with a token, and the project that has all of the user's workflows."""

    user: User
    secret: str
    project: Project


@dataclass(frozen=True)
class Filled:
    """What is in a database."""

    url: str
    workflows: int
    owners: list[Owner]
    admin_secret: str
    id_prefix: str
    """The n-th workflow has the id that begins so and ends in n, in 8 digits; its owner is the
    (n mod owners)-th."""


def fill(directory: Path, url: str, workflows: int, owners: int = 1) -> Filled:
    """Make a database with so many workflows, each user's in one project."""
    with World(directory, url, rate_limits=False) as world:
        people = [world.user(tier=Tier.TIER_ENTERPRISE) for _ in range(owners)]
        made = [Owner(person.user, person.secret or "", world.project(person)) for person in people]
        filled = Filled(url, workflows, made, world.admin.secret or "", new_id("workflow")[:-8])
    with _quick_transaction(url) as transaction:
        for first in range(0, workflows, BATCH):
            transaction.begin()
            transaction.start_command()
            batch = range(first, min(first + BATCH, workflows))
            for number in batch:
                _create(transaction, filled, number)
            for which, owner in enumerate(made):
                # Once a batch: PostgreSQL keeps each version of a row until the transaction ends.
                count = sum(1 for number in batch if number % owners == which)
                transaction.users.add_workflows_owned(owner.user.id, count)
                transaction.projects.add_workflows(owner.project.id, count)
            transaction.seal()
            transaction.commit()
    return filled


@contextmanager
def _quick_transaction(url: str) -> Iterator[Transaction]:
    session = parse_url(url).open(read_only=False)
    try:
        for setting in _QUICKLY[url.partition(":")[0]]:
            session.execute(setting)
        yield Transaction(session)
    finally:
        session.close()


def _create(transaction: Transaction, filled: Filled, number: int) -> None:
    """What CreateWorkflow leaves in the database."""
    owner = filled.owners[number % len(filled.owners)]
    time_us = transaction.time_us + number
    workflow = Workflow(
        id=f"{filled.id_prefix}{number:08d}",
        project_id=owner.project.id,
        user_id=owner.user.id,
        spec=spec(f"{number * SCATTER % NAMES:08d} filled", *_STEPS),
        status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
    )
    set_timestamp(workflow.create_time, time_us)
    set_timestamp(workflow.update_time, time_us)
    workflow.etag = f"{time_us:x}"
    resource = workflow.SerializeToString()
    request_id = f"request-{number}" if number % REMEMBERED == 0 else ""
    transaction.workflows.insert(
        workflow, name_key=workflow.spec.name, duration_us=STEPS, time_us=time_us
    )
    transaction.changes.append(
        kind=ResourceKind.RESOURCE_KIND_WORKFLOW,
        operation=ChangeOperation.CHANGE_OPERATION_CREATED,
        resource_id=workflow.id,
        project_id=owner.project.id,
        request_id=request_id,
        time_us=time_us,
        resource=resource,
        standing=Standing(owner.user.id),
    )
    record = AuditRecord(
        id=new_id("audit"),
        request_id=request_id,
        method="symphony.v1.WorkflowService/CreateWorkflow",
        caller_id=owner.user.id,
        user_id=owner.user.id,
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
        answer = FirstAnswer(bytes(32), resource, record.id, transaction.changes.revision)
        transaction.request_ids.remember(owner.user.id, request_id, answer, time_us=time_us)
