"""A transaction's preconditions hold of resources of every kind, as far as the caller may read."""

from __future__ import annotations

from typing import Any, Final, Literal

import pytest

from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_service_pb2 import GetUserRequest
from symphony_server.ids import new_id
from tests import engines
from tests.server.extension_requests import install
from tests.server.world import Person, World

ENGINES = engines.ALL
Kind = Literal["user", "project", "workflow", "execution", "extension"]
KINDS: Final[list[Kind]] = ["user", "project", "workflow", "execution", "extension"]


def resource(world: World, owner: Person, kind: Kind) -> Any:
    """A resource of the owner's, with its id and its etag."""
    if kind == "user":
        return owner.get(owner.users.GetUser, GetUserRequest(id=owner.id))
    project = world.project(owner)
    if kind == "project":
        return project
    if kind == "extension":
        return install(owner, project)
    workflow = world.workflow(owner, project)
    if kind == "workflow":
        return workflow
    return owner.get(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )


def transaction(*preconditions: Precondition) -> ExecuteTransactionRequest:
    """One that makes a project if they hold."""
    making = TransactionOperation(create_project=CreateProjectRequest(name="Made"))
    return ExecuteTransactionRequest(operations=[making], preconditions=preconditions)


def holds(person: Person, **precondition: Any) -> None:
    """Assert that it holds: the write is done."""
    request = transaction(Precondition(**precondition))
    assert person.get(person.transactions.ExecuteTransaction, request).results


def fails(person: Person, **precondition: Any) -> None:
    """Assert that it does not hold: the write is refused for that."""
    request = transaction(Precondition(**precondition))
    refusal = person.refused(person.transactions.ExecuteTransaction, request)
    assert refusal.reason == "PRECONDITION_FAILED"
    assert refusal.metadata["resource_id"] == precondition["resource_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_precondition_holds_of_what_is_there_and_unchanged(world: World, kind: Kind) -> None:
    owner = world.user()
    found = resource(world, owner, kind)
    holds(owner, resource_id=found.id, exists=True)
    holds(owner, resource_id=found.id, etag=found.etag)
    fails(owner, resource_id=found.id, exists=False)
    fails(owner, resource_id=found.id, etag="another")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_has_no_etag(world: World, kind: Kind) -> None:
    admin, absent = world.admin, new_id(kind)
    holds(admin, resource_id=absent, exists=False)
    fails(admin, resource_id=absent, exists=True)
    fails(admin, resource_id=absent, etag="any")


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_caller_may_not_read_is_as_if_absent(world: World, kind: Kind) -> None:
    owner, stranger = world.user(), world.user()
    found = resource(world, owner, kind)
    holds(stranger, resource_id=found.id, exists=False)
    fails(stranger, resource_id=found.id, exists=True)
    fails(stranger, resource_id=found.id, etag=found.etag)
