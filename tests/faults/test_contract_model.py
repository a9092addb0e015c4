"""What the model knows of a resource, and what is said when a watcher was told something else."""

from __future__ import annotations

from symphony.v1.project_pb2 import ProjectMember
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, UpdateWorkflowRequest
from tests.faults.contract_model import COLLABORATOR, VIEWER, State
from tests.faults.history import Person, Told, Watched
from tests.faults.watch_checker import faults_of_watch


def test_what_a_transaction_makes_and_updates_keeps_what_only_the_server_knew() -> None:
    person = Person("admin", "user_admin", is_admin=True)
    create = CreateWorkflowRequest(workflow_id="workflow_1", project_id="project_1")
    update = UpdateWorkflowRequest(workflow=Workflow(id="workflow_1", shared=True))
    update.update_mask.paths.append("shared")
    operations = [
        TransactionOperation(create_workflow=create),
        TransactionOperation(update_workflow=update),
    ]
    request = ExecuteTransactionRequest(operations=operations)
    reason, (made, updated) = State(0).write(person, request)
    assert reason == ""
    first, second = Workflow(), Workflow()
    first.CopyFrom(made.resource)
    first.create_time.seconds = first.estimated_cost.compute_units = 7
    second.CopyFrom(first)
    second.shared, second.etag = True, "2"
    assert made.matches(first, None)
    assert updated.matches(second, first)
    second.create_time.seconds = 8
    assert not updated.matches(second, first)


def test_who_was_told_besides_is_shown_all_that_there_was_of_it() -> None:
    viewer = Person("viewer", "user_1")
    member = ProjectMember(project_id="project_1", user_id="user_1", role=VIEWER)
    workflow = Workflow(id="workflow_1", project_id="project_1", user_id="user_2")
    states = [State(0)]
    for resource_id, resource in (
        ("project_1/user_1", member),
        ("workflow_1", workflow),
        (
            "project_1/user_1",
            ProjectMember(project_id="project_1", user_id="user_1", role=COLLABORATOR),
        ),
    ):
        states.append(states[-1].after(resource_id, resource))
    told = [Told(1, "CREATED", "project_1/user_1", member, "r1")]
    watched = Watched(viewer, [*told, Told(2, "DELETED", "workflow_1", None, "r2")])
    [fault] = faults_of_watch(watched, states)
    assert "viewer was told" in fault
    assert fault.splitlines()[-4:] == [
        "  told at 2: DELETED by r2",
        '  from 2 on: id: "workflow_1" project_id: "project_1" user_id: "user_2"',
        "  from 1 on: PROJECT_ROLE_VIEWER",
        "  from 3 on: PROJECT_ROLE_COLLABORATOR",
    ]
