from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given, settings
from hypothesis import strategies as st

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest, CreateProjectRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import (
    ExecuteTransactionRequest,
    ExecuteTransactionResponse,
)
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_server.ids import new_id
from tests import engines
from tests.server.world import Person, Refusal, World, spec, step

ENGINES = engines.ALL


def create(project_id: str, name: str, **fields: object) -> TransactionOperation:
    request = CreateWorkflowRequest(project_id=project_id, spec=spec(name), **fields)  # type: ignore[arg-type]
    return TransactionOperation(create_workflow=request)


def rename(workflow_id: str, name: str) -> TransactionOperation:
    request = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow_id, spec=WorkflowSpec(name=name)),
        update_mask=FieldMask(paths=["spec.name"]),
    )
    return TransactionOperation(update_workflow=request)


def delete(workflow_id: str) -> TransactionOperation:
    return TransactionOperation(delete_workflow=DeleteWorkflowRequest(id=workflow_id))


def execute(
    person: Person, *operations: TransactionOperation, **fields: object
) -> ExecuteTransactionResponse:
    request = ExecuteTransactionRequest(operations=operations, **fields)  # type: ignore[arg-type]
    answer: ExecuteTransactionResponse = person.get(person.transactions.ExecuteTransaction, request)
    return answer


def refused(person: Person, *operations: TransactionOperation, **fields: object) -> Refusal:
    request = ExecuteTransactionRequest(operations=operations, **fields)  # type: ignore[arg-type]
    return person.refused(person.transactions.ExecuteTransaction, request)


def names(person: Person, project_id: str) -> set[str]:
    answer = person.get(person.workflows.ListWorkflows, ListWorkflowsRequest(project_id=project_id))
    return {workflow.spec.name for workflow in answer.workflows}


def test_operations_see_those_before_them(world: World) -> None:
    owner, other = world.user(), world.user()
    project_id, workflow_id = new_id("project"), new_id("workflow")
    answer = execute(
        owner,
        TransactionOperation(
            create_project=CreateProjectRequest(project_id=project_id, name="New")
        ),
        TransactionOperation(
            add_project_member=AddProjectMemberRequest(
                project_id=project_id,
                user_id=other.id,
                role=ProjectRole.PROJECT_ROLE_VIEWER,
            )
        ),
        create(project_id, "W", workflow_id=workflow_id, shared=True),
        rename(workflow_id, "V"),
    )
    kinds = [result.WhichOneof("result") for result in answer.results]
    assert kinds == ["project", "project_member", "workflow", "workflow"]
    assert answer.results[3].workflow.spec.name == "V"
    got = other.get(other.workflows.GetWorkflow, GetWorkflowRequest(id=workflow_id))
    assert got == answer.results[3].workflow
    assert answer.revision > 0


def test_a_failure_anywhere_leaves_nothing_and_names_the_operation(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    refusal = refused(
        owner,
        create(project.id, "A"),
        create(project.id, "B"),
        TransactionOperation(
            create_workflow=CreateWorkflowRequest(
                project_id=project.id, spec=spec("C", step("x", "x"))
            )
        ),
    )
    assert refusal.reason == "STEP_DEPENDENCY_SELF"
    assert list(refusal.fields) == ["operations[2].create_workflow.spec.steps[0].depends_on[0]"]
    assert names(owner, project.id) == set()
    assert world.workflow(owner, project, spec=spec("A")).id


def test_structure_is_checked_in_every_operation_before_any_is_done(world: World) -> None:
    owner = world.user()
    refusal = refused(
        owner,
        create(world.project(owner).id, " "),
        rename(new_id("workflow"), ""),
        TransactionOperation(),
        create("x", "W", request_id="mine"),
    )
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {
        "operations[0].create_workflow.spec.name",
        "operations[2].operation",
        "operations[3].create_workflow.project_id",
    }


def test_what_holds_for_the_transaction_is_not_said_in_an_operation(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    refusal = refused(
        owner, create(project.id, "A", request_id="a"), create(project.id, "B", validate_only=True)
    )
    assert set(refusal.fields) == {
        "operations[0].create_workflow.request_id",
        "operations[1].create_workflow.validate_only",
    }


def test_each_operation_is_authorised_for_itself(world: World) -> None:
    owner, stranger = world.user(), world.user()
    project, own = world.project(owner), world.project(stranger)
    refusal = refused(stranger, create(own.id, "Mine"), create(project.id, "Theirs"))
    assert refusal.reason == "PROJECT_ACCESS_REQUIRED"
    assert names(stranger, own.id) == set()


def test_a_token_needs_the_scope_of_each_operation(world: World) -> None:
    owner = world.user(scopes=["transactions.", "projects."])
    project = world.project(owner)
    refusal = refused(owner, create(project.id, "W"))
    assert refusal.reason == "TOKEN_SCOPE_REQUIRED"
    assert refusal.metadata["permission"] == "workflows.create"


def test_preconditions_hold_or_nothing_is_done(world: World) -> None:
    owner, stranger = world.user(), world.user()
    project = world.project(owner)
    workflow = world.workflow(owner, project)
    current = Precondition(resource_id=workflow.id, etag=workflow.etag)
    there = Precondition(resource_id=workflow.id, exists=True)
    not_there = Precondition(resource_id=workflow.id, exists=False)
    absent = Precondition(resource_id=new_id("workflow"), exists=False)

    execute(owner, rename(workflow.id, "B"), preconditions=[current, there, absent])
    stale = refused(owner, rename(workflow.id, "C"), preconditions=[current, not_there])

    assert (stale.code, stale.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "PRECONDITION_FAILED",
    )
    assert len(stale.details["PreconditionFailure"].violations) == 2
    assert stale.metadata["resource_id"] == workflow.id
    # To one who may not read it, it does not exist.
    own = world.project(stranger)
    assert refused(stranger, create(own.id, "X"), preconditions=[there]).reason == (
        "PRECONDITION_FAILED"
    )
    execute(stranger, create(own.id, "X"), preconditions=[not_there])


def test_each_operation_has_a_record_that_names_the_transactions_decision(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    before = len(world.audit())
    request = ExecuteTransactionRequest(
        operations=[create(project.id, "A"), create(project.id, "B")]
    )
    answer = owner.ask(owner.transactions.ExecuteTransaction, request)
    records = world.audit()[before:]
    assert [r.method.rpartition("/")[2] for r in records] == [
        "CreateWorkflow",
        "CreateWorkflow",
        "ExecuteTransaction",
    ]
    assert {r.decision_id for r in records} == {answer.decision_id}
    assert records[-1].id == answer.decision_id
    assert len({r.id for r in records}) == 3


def test_a_retried_transaction_has_one_effect(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    first = execute(owner, create(project.id, "A"), request_id="t")
    second = execute(owner, create(project.id, "A"), request_id="t")
    assert first == second
    assert names(owner, project.id) == {"A"}


def test_validate_only_tells_what_is_wrong_with_every_operation(world: World) -> None:
    owner, viewer = world.user(), world.user(Role.ROLE_VIEWER)
    project = world.project(owner)
    fine = execute(owner, create(project.id, "A"), validate_only=True)
    assert fine.results[0].workflow.spec.name == "A"
    assert names(owner, project.id) == set()
    refusal = refused(
        viewer, create(project.id, "A"), delete(new_id("workflow")), validate_only=True
    )
    assert refusal.message.startswith("3 things are wrong")
    validated = world.audit(lambda r: r.outcome == AuditOutcome.AUDIT_OUTCOME_VALIDATED)
    assert [r.method.rpartition("/")[2] for r in validated] == ["ExecuteTransaction"]


def test_limits_count_what_the_transaction_itself_makes(world: World) -> None:
    free = world.user(tier=Tier.TIER_FREE)
    project = world.project(free)
    refusal = refused(free, *(create(project.id, f"w{n}") for n in range(11)))
    assert refusal.reason == "TIER_WORKFLOW_LIMIT"
    execute(free, *(create(project.id, f"w{n}") for n in range(10)))


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory: Path = tmp_path_factory.mktemp("transactions")
    with World(directory) as made:
        yield made


NAMES = ("a", "b", "c", "A")
actions = st.tuples(
    st.sampled_from(["create", "rename", "delete"]), st.integers(0, 5), st.sampled_from(NAMES)
)


@settings(max_examples=40, deadline=None)
@given(transactions=st.lists(st.lists(actions, min_size=1, max_size=6), max_size=6))
def test_transactions_do_what_a_model_says(
    shared_world: World, transactions: list[list[tuple[str, int, str]]]
) -> None:
    """The model: a dictionary of names, copied before a transaction and kept if it succeeds."""
    owner = shared_world.admin
    project = shared_world.project(owner)
    ids = [new_id("workflow") for _ in range(6)]
    model: dict[str, str] = {}
    for operations in transactions:
        attempt: dict[str, str] | None = dict(model)
        for action, index, name in operations:
            attempt = after(attempt, action, ids[index], name)
        parts = [as_operation(project.id, action, ids[i], name) for action, i, name in operations]
        if attempt is None:
            refused(owner, *parts)
        else:
            execute(owner, *parts)
            model = attempt
        assert names(owner, project.id) == set(model.values())


def after(
    model: dict[str, str] | None, action: str, workflow_id: str, name: str
) -> dict[str, str] | None:
    """The model after an operation; None once one was refused."""
    if model is None or (action == "create") == (workflow_id in model):
        return None
    others = {other.casefold() for key, other in model.items() if key != workflow_id}
    if action != "delete" and name.casefold() in others:
        return None
    rest = {key: other for key, other in model.items() if key != workflow_id}
    return rest if action == "delete" else {**rest, workflow_id: name}


def as_operation(project_id: str, action: str, workflow_id: str, name: str) -> TransactionOperation:
    if action == "create":
        return create(project_id, name, workflow_id=workflow_id)
    return rename(workflow_id, name) if action == "rename" else delete(workflow_id)
