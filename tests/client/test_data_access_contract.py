"""What goes over the wire, to the letter: the request that is sent, the answer and error as read.

The counterpart of a contract test with WireMock: a server without logic, which answers as the
test tells it and keeps what it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import AlreadyExists, DataAccess
from symphony_client.use_cases import CreateWorkflowUseCase
from tests.client.contract_server import Answer, ContractServer

USER = "user_01jz000000e00000000000000a"
PROJECT = "project_01jz000000e00000000000000b"
WORKFLOW = "workflow_01jz000000e00000000000000c"
REQUEST = CreateWorkflowRequest(
    project_id=PROJECT,
    user_id=USER,
    spec=WorkflowSpec(
        name="Contract Test Workflow", steps=[WorkflowStep(name="step1", command="echo test")]
    ),
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ContractServer]:
    with ContractServer() as started:
        monkeypatch.setenv("SYMPHONY_TEST_MODE", "contract")
        monkeypatch.setenv("SYMPHONY_SERVER", started.target)
        monkeypatch.setenv("SYMPHONY_TOKEN", "sym_contract")
        yield started


async def test_a_workflow_is_asked_for_and_read_exactly(server: ContractServer) -> None:
    expected_response = {
        "id": WORKFLOW,
        "projectId": PROJECT,
        "userId": USER,
        "spec": {
            "name": "Contract Test Workflow",
            "steps": [{"name": "step1", "command": "echo test"}],
        },
        "status": "WORKFLOW_STATUS_CREATED",
        "createTime": "2025-12-27T10:00:00Z",
    }
    server.answers(Answer(response=json_format.ParseDict(expected_response, Workflow())))

    async with DataAccess.for_testing() as data:
        workflow = await CreateWorkflowUseCase(data.workflows).execute(REQUEST)

    sent = json_format.MessageToDict(server.attempt.request)
    assert len(sent.pop("requestId")) == 32
    assert sent == {
        "projectId": PROJECT,
        "userId": USER,
        "spec": {
            "name": "Contract Test Workflow",
            "steps": [{"name": "step1", "command": "echo test"}],
        },
        "estimatedCost": {"computeUnits": "10", "estimatedDuration": "5s"},
    }
    assert server.attempt.method == "CreateWorkflow"
    assert server.attempt.metadata["authorization"] == "Bearer sym_contract"
    assert server.attempt.seconds_left is not None
    assert server.attempt.seconds_left <= 5.1  # gRPC rounds what it sends up
    assert json_format.MessageToDict(workflow) == expected_response


async def test_an_error_is_read_with_its_field_and_code(server: ContractServer) -> None:
    said = 'spec.name: "Duplicate Workflow" exists already in this project'
    status = status_pb2.Status(code=grpc.StatusCode.ALREADY_EXISTS.value[0], message=said)
    status.details.add().Pack(ErrorInfo(reason="DUPLICATE_NAME", domain="symphony.v1"))
    fields = BadRequest()
    fields.field_violations.add(
        field="spec.name", reason="DUPLICATE_NAME", description="exists already in this project"
    )
    status.details.add().Pack(fields)
    server.answers(
        Answer(
            code=grpc.StatusCode.ALREADY_EXISTS,
            message=said,
            trailers=(("grpc-status-details-bin", status.SerializeToString()),),
        )
    )

    async with DataAccess.for_testing() as data:
        with pytest.raises(AlreadyExists) as caught:
            await data.workflows.create_workflow(REQUEST)

    assert str(caught.value) == said
    assert caught.value.reason == "DUPLICATE_NAME"
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("spec.name", "DUPLICATE_NAME")
    assert len(server.attempts) == 1


async def test_acting_for_another_is_said_in_the_metadata(server: ContractServer) -> None:
    async with DataAccess.for_testing() as data:
        await data.acting_as(USER).workflows.find_by_id(WORKFLOW)
        await data.workflows.find_by_id(WORKFLOW)
    first, second = server.attempts
    assert first.metadata["x-symphony-act-as"] == USER
    assert "x-symphony-act-as" not in second.metadata
