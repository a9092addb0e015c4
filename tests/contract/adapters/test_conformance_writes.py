"""Every adapter refuses, repeats, tries and does together alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest, DeleteProjectRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.data_access import DataAccess
from symphony_client.errors import AlreadyExists, Conflict, PreconditionFailed, ValidationFailed
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import made_workflow, new_project, new_workflow
from tests.contract.adapters.conformance import PERSON, every, refused


async def test_what_is_taken_is_told_by_its_reason(data: DataAccess) -> None:
    await data.users.save(PERSON)
    project = await new_project(data)
    workflow = await made_workflow(data, project, "Build")
    taken: dict[str, Callable[[], Awaitable[object]]] = {
        "EMAIL_TAKEN": lambda: data.users.save(PERSON),
        "DUPLICATE_NAME": lambda: made_workflow(data, project, "\uff22UILD"),
        "ID_TAKEN": lambda: made_workflow(data, project, "Other", workflow_id=workflow.id),
    }
    for reason, call in taken.items():
        error = await refused(call())
        assert (type(error), error.reason) == (AlreadyExists, reason)
    assert (await refused(made_workflow(data, project, "build"))).violations[0].field == "spec.name"


async def test_a_bad_request_names_each_field_and_rule(data: DataAccess) -> None:
    project = await new_project(data)
    spec = WorkflowSpec(name=" ", steps=[WorkflowStep(name="a")])
    error = await refused(data.workflows.create_workflow(new_workflow(project, spec=spec)))
    assert isinstance(error, ValidationFailed)
    assert error.reason == "FIELD_INVALID"
    assert {v.field: v.rule for v in error.violations} == {
        "spec.name": "string.pattern",
        "spec.steps[0].command": "string.min_len",
    }
    error = await refused(data.workflows.find_by_id(project.id))
    assert isinstance(error, ValidationFailed)
    assert error.violations[0].field == "id"
    error = await refused(
        every(data.workflows.find_by_criteria(ListWorkflowsRequest(page_size=-1)))
    )
    assert error.violations[0].field == "page_size"


async def test_a_repeated_request_has_one_effect_and_one_answer(data: DataAccess) -> None:
    project = await new_project(data)
    request = new_workflow(project, request_id="once")
    first = await data.workflows.create_workflow(request)
    assert await data.workflows.create_workflow(request) == first
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == [first]
    other = new_workflow(project, "Another", request_id="once")
    error = await refused(data.workflows.create_workflow(other))
    assert (type(error), error.reason) == (Conflict, "REQUEST_ID_REUSED")


async def test_validate_only_answers_and_keeps_nothing(data: DataAccess) -> None:
    project = await new_project(data)
    answer = await made_workflow(data, project, validate_only=True)
    assert answer.spec.name == "Build"
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []
    assert (await made_workflow(data, project)).spec.name == "Build"


async def test_a_transaction_does_all_in_order(data: DataAccess) -> None:
    project_id, workflow_id = new_id("project"), new_id("workflow")
    project = await new_project(data)
    request = ExecuteTransactionRequest(
        preconditions=[Precondition(resource_id=project.id, etag=project.etag)],
        operations=[
            TransactionOperation(
                create_project=CreateProjectRequest(project_id=project_id, name="Second")
            ),
            TransactionOperation(
                create_workflow=new_workflow(Project(id=project_id), workflow_id=workflow_id)
            ),
            TransactionOperation(delete_project=DeleteProjectRequest(id=project.id)),
        ],
    )
    response = await data.execute_transaction(request)
    assert [result.WhichOneof("result") for result in response.results] == [
        "project",
        "workflow",
        "empty",
    ]
    assert await data.workflows.find_by_id(workflow_id) == response.results[1].workflow
    assert await data.projects.find_by_id(project.id) is None


async def test_a_transaction_that_fails_anywhere_leaves_nothing(data: DataAccess) -> None:
    project = await new_project(data)
    request = ExecuteTransactionRequest(
        operations=[
            TransactionOperation(create_workflow=new_workflow(project, "One")),
            TransactionOperation(create_workflow=new_workflow(project, "one")),
        ]
    )
    error = await refused(data.execute_transaction(request))
    assert (type(error), error.reason) == (AlreadyExists, "DUPLICATE_NAME")
    assert error.violations[0].field == "operations[1].create_workflow.spec.name"
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []

    request.preconditions.add(resource_id=project.id, exists=False)
    del request.operations[1]
    error = await refused(data.execute_transaction(request))
    assert (type(error), error.reason) == (PreconditionFailed, "PRECONDITION_FAILED")
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []
