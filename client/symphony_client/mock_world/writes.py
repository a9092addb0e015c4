"""Every write of one resource, by its request: alone, or an operation of a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.extension_service_pb2 import (
    InstallExtensionRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_service_pb2 import CreateUserRequest, DeleteUserRequest, UpdateUserRequest
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    UpdateWorkflowRequest,
)
from symphony_client.mock_world.creating import create_project, create_user, create_workflow
from symphony_client.mock_world.deleting import (
    delete,
    uses_of_extension,
    uses_of_project,
    uses_of_user,
    uses_of_workflow,
)
from symphony_client.mock_world.executions import (
    cancel_execution,
    settle_execution,
    start_execution,
)
from symphony_client.mock_world.extensions import install_extension, settle_extension
from symphony_client.mock_world.members import (
    add_project_member,
    remove_project_member,
    update_project_member,
)
from symphony_client.mock_world.updating import (
    settle_project,
    settle_user,
    settle_workflow,
    update,
)
from symphony_client.mock_world.world import Write
from symphony_client.resources.kinds import EXECUTION, EXTENSION, PROJECT, USER, WORKFLOW

Action = Callable[[Write, Any], Any]
"""Judges a request and writes, or raises Refused. Returns the response."""


WRITES: Final[Mapping[type[Message], Action]] = {
    CreateUserRequest: create_user,
    UpdateUserRequest: partial(update, USER, settle_user),
    DeleteUserRequest: partial(delete, USER, uses_of_user),
    CreateProjectRequest: create_project,
    UpdateProjectRequest: partial(update, PROJECT, settle_project),
    DeleteProjectRequest: partial(delete, PROJECT, uses_of_project),
    AddProjectMemberRequest: add_project_member,
    UpdateProjectMemberRequest: update_project_member,
    RemoveProjectMemberRequest: remove_project_member,
    CreateWorkflowRequest: create_workflow,
    UpdateWorkflowRequest: partial(update, WORKFLOW, settle_workflow),
    DeleteWorkflowRequest: partial(delete, WORKFLOW, uses_of_workflow),
    StartExecutionRequest: start_execution,
    UpdateExecutionRequest: partial(update, EXECUTION, settle_execution),
    CancelExecutionRequest: cancel_execution,
    InstallExtensionRequest: install_extension,
    UpdateExtensionRequest: partial(update, EXTENSION, settle_extension),
    UninstallExtensionRequest: partial(delete, EXTENSION, uses_of_extension),
}
"""Request → the action that does what it asks for."""
