"""A small world that any data source is filled with, and what is asked of it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.extension_pb2 import ManifestFormat
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest, CreateProjectRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, UpdateWorkflowRequest
from symphony_client.adapters.mock import MockDataSource
from symphony_client.data_source import DataSource
from symphony_client.errors import DataError
from tests.server.extension_requests import manifest

SUFFIX: Final = "01h455vb4pex5vsknk084sn0"
USER, OTHER_USER = f"user_{SUFFIX}2a", f"user_{SUFFIX}2b"
PROJECT, EMPTY, FULL = (f"project_{SUFFIX}2{end}" for end in "abc")
WORKFLOW, OTHER, ARCHIVED = (f"workflow_{SUFFIX}2{end}" for end in "abc")
RUN, ENDED = (f"execution_{SUFFIX}2{end}" for end in "ab")
EXTENSION = f"extension_{SUFFIX}2a"
NOBODY, NOWHERE = f"user_{SUFFIX}zz", f"project_{SUFFIX}zz"
NOTHING, NEVER, NONE = (f"{kind}_{SUFFIX}zz" for kind in ("workflow", "execution", "extension"))
ADA: Final = User(id=USER, name="Ada", email="ada@example.com")

RUNNING, FAILED = ExecutionState.EXECUTION_STATE_RUNNING, ExecutionState.EXECUTION_STATE_FAILED
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER
JSON, TOML = ManifestFormat.MANIFEST_FORMAT_JSON, ManifestFormat.MANIFEST_FORMAT_TOML


def spec(name: str = "Build", **step: Any) -> WorkflowSpec:
    return WorkflowSpec(name=name, steps=[WorkflowStep(name="fetch", command="git pull", **step)])


def making(project_id: str = PROJECT, name: str = "Build", **fields: Any) -> CreateWorkflowRequest:
    return CreateWorkflowRequest(project_id=project_id, spec=spec(name), **fields)


def installing(document: str, **fields: Any) -> InstallExtensionRequest:
    return InstallExtensionRequest(project_id=PROJECT, manifest=document, **fields)


def together(*writes: Message, **fields: Any) -> ExecuteTransactionRequest:
    """The transaction of some writes, each in the operation that takes it."""
    request = ExecuteTransactionRequest(**fields)
    for write in writes:
        operation = request.operations.add()
        for field in TransactionOperation.DESCRIPTOR.fields:
            if field.message_type is write.DESCRIPTOR:
                getattr(operation, field.name).CopyFrom(write)
    return request


async def fill(source: DataSource) -> None:
    """Make the same world in any data source: an empty project, one in use, runs, people."""
    for request in (
        CreateUserRequest(user_id=USER, name="Ada", email="ada@example.com"),
        CreateUserRequest(user_id=OTHER_USER, name="Bob", email="bob@example.com"),
        CreateProjectRequest(project_id=PROJECT, name="Project"),
        CreateProjectRequest(project_id=EMPTY, name="Empty"),
        AddProjectMemberRequest(
            project_id=PROJECT, user_id=OTHER_USER, role=ProjectRole.PROJECT_ROLE_VIEWER
        ),
        installing(
            manifest(permissions=["workflow.read"], homepage="https://example.com/word-count"),
            extension_id=EXTENSION,
        ),
        CreateWorkflowRequest(
            project_id=PROJECT, workflow_id=WORKFLOW, spec=spec(extension_id=EXTENSION)
        ),
        making(workflow_id=OTHER, name="Other"),
        making(workflow_id=ARCHIVED, name="Archived"),
        UpdateWorkflowRequest(
            workflow=Workflow(id=ARCHIVED, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED)
        ),
        StartExecutionRequest(workflow_id=WORKFLOW, execution_id=RUN),
        StartExecutionRequest(workflow_id=OTHER, execution_id=ENDED),
        CancelExecutionRequest(id=ENDED),
    ):
        await source.call(request)


async def refused(source: DataSource, request: Message) -> DataError:
    with pytest.raises(DataError) as caught:
        await source.call(request)
    return caught.value


async def told(source: MockDataSource, count: int, **watching: Any) -> list[WatchResponse]:
    """So many messages of the feed."""
    watch = source.watch(WatchRequest(**watching))
    responses = [await anext(watch) for _ in range(count)]
    await watch.aclose()  # type: ignore[attr-defined]
    return responses
