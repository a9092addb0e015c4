"""What the mock refuses reads as from the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import UninstallExtensionRequest, UpdateExtensionRequest
from symphony.v1.project_pb2 import Project, ProjectMember
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectConstraintsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.transaction_pb2 import Precondition
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    UpdateUserRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    UpdateWorkflowRequest,
)
from symphony_client.adapters.local import LocalDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.channel_settings import ChannelSettings
from symphony_client.errors import DataError
from tests.contract.adapters.small_world import (
    ARCHIVED,
    EMPTY,
    ENDED,
    EXTENSION,
    FAILED,
    NEVER,
    NOBODY,
    NONE,
    NOTHING,
    NOWHERE,
    OTHER,
    OTHER_USER,
    PROJECT,
    RUN,
    RUNNING,
    TOML,
    USER,
    VIEWER,
    WORKFLOW,
    fill,
    installing,
    making,
    refused,
    together,
    told,
)
from tests.server.extension_requests import manifest

REFUSED: Final[dict[str, Message]] = {
    "blank name": CreateProjectRequest(name=" "),
    "two broken rules": CreateUserRequest(name="", email="x"),
    "id of another kind": GetWorkflowRequest(id=USER),
    "absent workflow": GetWorkflowRequest(id=NOTHING),
    "absent execution": GetExecutionRequest(id=NEVER),
    "absent address": GetUserByEmailRequest(email="nobody@example.com"),
    "absent user's capabilities": GetUserCapabilitiesRequest(user_id=NOBODY),
    "absent project's constraints": GetProjectConstraintsRequest(project_id=NOWHERE),
    "absent one to update": UpdateUserRequest(user=User(id=NOBODY, name="X")),
    "absent one to delete": DeleteProjectRequest(id=NOWHERE),
    "workflow for an absent project": making(NOWHERE),
    "workflow for another user": making(user_id=USER, name="New"),
    "run of an absent workflow": StartExecutionRequest(workflow_id=NOTHING),
    "user id taken": CreateUserRequest(user_id=USER, name="X", email="x@example.com"),
    "address taken": CreateUserRequest(name="X", email="ADA@example.com"),
    "address and id taken": CreateUserRequest(user_id=USER, name="X", email="ada@example.com"),
    "project id taken": CreateProjectRequest(project_id=PROJECT, name="X"),
    "workflow id taken": making(workflow_id=OTHER, name="New"),
    "workflow name taken": making(name="\uff22UILD"),  # a full-width B: the same after NFKC
    "execution id taken": StartExecutionRequest(workflow_id=WORKFLOW, execution_id=RUN),
    "renamed to a taken name": UpdateWorkflowRequest(
        workflow=Workflow(id=OTHER, spec=WorkflowSpec(name="build")),
        update_mask=FieldMask(paths=["spec.name"]),
    ),
    "moved to a taken address": UpdateUserRequest(user=User(id=USER, email="BOB@example.com")),
    "stale and taken": UpdateUserRequest(
        user=User(id=USER, email="bob@example.com", etag="0"),
        update_mask=FieldMask(paths=["email"]),
    ),
    "stale": UpdateProjectRequest(project=Project(id=PROJECT, name="X", etag="0")),
    "stale to delete": DeleteWorkflowRequest(id=OTHER, etag="0"),
    "stale and in use": DeleteProjectRequest(id=PROJECT, etag="0"),
    "stale to cancel": CancelExecutionRequest(id=RUN, etag="0"),
    "unknown path": UpdateProjectRequest(
        project=Project(id=PROJECT), update_mask=FieldMask(paths=["colour", "name.first"])
    ),
    "fixed paths": UpdateProjectRequest(
        project=Project(id=PROJECT), update_mask=FieldMask(paths=["id", "owner_id", "etag"])
    ),
    "nothing to change": UpdateProjectRequest(project=Project(id=PROJECT)),
    "required field emptied": UpdateProjectRequest(
        project=Project(id=PROJECT), update_mask=FieldMask(paths=["*"])
    ),
    "steps emptied": UpdateWorkflowRequest(
        workflow=Workflow(id=OTHER, spec=WorkflowSpec(name="Other")),
        update_mask=FieldMask(paths=["spec"]),
    ),
    "user in use": DeleteUserRequest(id=OTHER_USER),
    "project in use": DeleteProjectRequest(id=PROJECT),
    "workflow in use": DeleteWorkflowRequest(id=WORKFLOW),
    "extension in use": UninstallExtensionRequest(id=EXTENSION),
    "member already": AddProjectMemberRequest(project_id=PROJECT, user_id=OTHER_USER, role=VIEWER),
    "absent user as a member": AddProjectMemberRequest(
        project_id=PROJECT, user_id=NOBODY, role=VIEWER
    ),
    "member of an absent project": AddProjectMemberRequest(
        project_id=NOWHERE, user_id=USER, role=VIEWER
    ),
    "no member to remove": RemoveProjectMemberRequest(project_id=PROJECT, user_id=USER),
    "no member to change": UpdateProjectMemberRequest(
        project_member=ProjectMember(project_id=PROJECT, user_id=USER, role=VIEWER)
    ),
    "archived workflow": StartExecutionRequest(workflow_id=ARCHIVED),
    "ended run cancelled": CancelExecutionRequest(id=ENDED),
    "ended run reported": UpdateExecutionRequest(execution=Execution(id=ENDED, state=RUNNING)),
    "pending run failed": UpdateExecutionRequest(execution=Execution(id=RUN, state=FAILED)),
    "stale and ended": UpdateExecutionRequest(
        execution=Execution(id=ENDED, state=RUNNING, etag="0")
    ),
    "manifest that is not JSON": installing("{"),
    "manifest that is no object": installing("[]"),
    "manifest that is not TOML": installing("{", manifest_format=TOML),
    "manifest without a version": installing(manifest("other", version=None)),
    "manifest of an unknown type": installing(manifest("other", type="thing")),
    "manifest with an odd permission": installing(manifest("other", permissions=[1])),
    "manifest renamed": UpdateExtensionRequest(
        extension=Extension(id=EXTENSION, manifest=manifest("renamed", "1.0.1"))
    ),
    "operation that is refused": together(
        making(name="New"), DeleteProjectRequest(id=EMPTY), making(EMPTY, name="New")
    ),
    "operation with a request id": together(making(name="New", request_id="a")),
    "preconditions unmet": ExecuteTransactionRequest(
        preconditions=[
            Precondition(resource_id=PROJECT, exists=False),
            Precondition(resource_id=RUN, etag="0"),
            Precondition(resource_id=NONE, exists=True),
            Precondition(resource_id=EMPTY, exists=True),
        ],
        operations=together(DeleteProjectRequest(id=EMPTY)).operations,
    ),
}
"""What the mock refuses, once `fill` has filled it."""


def read(error: DataError) -> tuple[Any, ...]:
    """All that a program can read off an error, but what differs from one world to another."""
    status = error.status
    return (
        type(error).__name__,
        error.reason,
        status.status_code,
        [(v.field, v.rule, v.subject) for v in error.violations],
        {k: v for k, v in error.metadata.items() if k not in {"request_id", "decision_id", "etag"}},
        (status.resource_type, status.resource_name),
    )


async def test_what_is_refused_reads_as_from_the_server_and_changes_nothing(tmp_path: Path) -> None:
    mock, channel = MockDataSource(), ChannelSettings(target="unused")
    server = LocalDataSource(
        f"sqlite:///{tmp_path / 'db'}", user="admin@localhost", channel=channel
    )
    try:
        await fill(server)
        await fill(mock)
        before = await told(mock, 1)
        said = {name: read(await refused(mock, request)) for name, request in REFUSED.items()}
        assert said == {
            name: read(await refused(server, request)) for name, request in REFUSED.items()
        }
        assert await told(mock, 1) == before
    finally:
        await server.close()
