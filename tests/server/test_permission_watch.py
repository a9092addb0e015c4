"""Watch sends each kind of caller what it may read, and nothing else: who watches meanwhile and
who comes afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import UpdateExecutionRequest
from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.extension_service_pb2 import UpdateExtensionRequest
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import UpdateProjectMemberRequest, UpdateProjectRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
from tests.server.follower import begun, until, watching
from tests.server.permission_matrix import (
    READS_EVERYTHING,
    READS_PROJECT,
    READS_USER,
    READS_WORKFLOW,
    RELATIONS,
    ROLES,
    Cell,
)
from tests.server.permission_world import Holdings, MatrixWorld

OPERATIONS_AT_ONCE = 100
CELLS = [
    Cell(role, relation, "PRO", "ACTIVE", False, False, False, False)
    for role, relation in itertools.product(ROLES, RELATIONS)
]


@pytest.fixture
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    with MatrixWorld(tmp_path_factory.mktemp("matrix")) as made:
        yield made


def readable(cell: Cell, holdings: Holdings, member_id: str) -> Iterator[tuple[str, bool]]:
    """Each thing that a caller may meet, and whether it may read it."""
    yield holdings.person.id, replace(cell, mine=True).holds(READS_USER)
    reads = cell.holds(READS_PROJECT)
    for project_id in holdings.projects.values():
        yield project_id, reads
        yield f"{project_id}/{member_id}", reads
    for extension_id in holdings.extensions.values():
        yield extension_id, reads
    for which in (holdings.workflows, holdings.run_workflows):
        for (mine, shared), workflow_id in which.items():
            yield workflow_id, replace(cell, mine=mine, shared=shared).holds(READS_WORKFLOW)
    for (mine, shared, _), execution_id in holdings.executions.items():
        yield execution_id, replace(cell, mine=mine, shared=shared).holds(READS_WORKFLOW)


def changes_of(holdings: Holdings, member_id: str) -> Iterator[TransactionOperation]:
    """A change of each of these things, none of which changes who may read what."""
    user = User(id=holdings.person.id, name="Changed")
    yield TransactionOperation(update_user=UpdateUserRequest(user=user))
    for project_id in holdings.projects.values():
        project = Project(id=project_id, description="changed")
        yield TransactionOperation(update_project=UpdateProjectRequest(project=project))
        member = ProjectMember(
            project_id=project_id,
            user_id=member_id,
            role=ProjectRole.PROJECT_ROLE_COLLABORATOR,
        )
        update = UpdateProjectMemberRequest(project_member=member)
        yield TransactionOperation(update_project_member=update)
    for extension_id in holdings.extensions.values():
        extension = Extension(id=extension_id, state=ExtensionState.EXTENSION_STATE_DISABLED)
        yield TransactionOperation(update_extension=UpdateExtensionRequest(extension=extension))
    for workflow_id in (*holdings.workflows.values(), *holdings.run_workflows.values()):
        changed = UpdateWorkflowRequest(
            workflow=Workflow(id=workflow_id, spec=WorkflowSpec(description="changed"))
        )
        changed.update_mask.paths.append("spec.description")
        yield TransactionOperation(update_workflow=changed)
    for execution_id in holdings.executions.values():
        execution = Execution(id=execution_id, state=ExecutionState.EXECUTION_STATE_RUNNING)
        yield TransactionOperation(update_execution=UpdateExecutionRequest(execution=execution))


def change_everything(matrix: MatrixWorld) -> int:
    """The revision after a change of everything that the callers may meet."""
    member_id = matrix.member.person.id
    operations = [
        operation for cell in CELLS for operation in changes_of(matrix.holdings(cell), member_id)
    ]
    admin, revision = matrix.world.admin, 0
    for start in range(0, len(operations), OPERATIONS_AT_ONCE):
        request = ExecuteTransactionRequest(operations=operations[start:][:OPERATIONS_AT_ONCE])
        revision = admin.get(admin.transactions.ExecuteTransaction, request).revision
    return revision


def test_a_watch_tells_each_caller_what_it_may_read(matrix: MatrixWorld) -> None:
    member_id = matrix.member.person.id
    met = {cell: dict(readable(cell, matrix.holdings(cell), member_id)) for cell in CELLS}
    everything = {resource_id for things in met.values() for resource_id in things}
    with watching(matrix.world.admin) as call:
        start = begun(call)
    with ExitStack() as stack:
        persons = {cell: matrix.holdings(cell).person for cell in CELLS}
        watches = [(c, stack.enter_context(watching(p, start))) for c, p in persons.items()]
        end = change_everything(matrix)
        watches += [(c, stack.enter_context(watching(p, start))) for c, p in persons.items()]
        for cell, call in watches:
            told = {change.resource_id for change in until(call, end)}
            if cell.holds(READS_EVERYTHING):
                assert told == everything, cell
            else:
                assert told == {name for name, reads in met[cell].items() if reads}, cell
