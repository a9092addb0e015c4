"""The kinds of resources: which requests read one, and by what it is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import (
    GetExecutionRequest,
    ListExecutionsRequest,
    ListExecutionsResponse,
)
from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    ListExtensionsRequest,
    ListExtensionsResponse,
)
from symphony.v1.project_pb2 import Project, ProjectMember
from symphony.v1.project_service_pb2 import (
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectMembersResponse,
    ListProjectsRequest,
    ListProjectsResponse,
)
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import GetUserRequest, ListUsersRequest, ListUsersResponse
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    GetWorkflowRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource."""

    number: ResourceKind.ValueType
    """The contract's number of the kind."""
    message: type[Message]
    list_request: type[Message]
    list_response: type[Message]
    plural: str
    """Where a list's response has the resources."""
    filters: Mapping[str, str]
    """Field of the List request → column of the table, for what is compared for equality."""
    columns: Mapping[str, str]
    """Column of the table → field of the resource that is kept in it."""
    get_request: type[Message] | None = None
    """The request that reads one by its `id`."""
    name_of: Callable[[Any], str] = lambda _: ""
    """By what name a resource is listed and found; empty where it has none."""
    id_of: Callable[[Any], str] = field(default=lambda resource: str(resource.id))

    @property
    def field(self) -> str:
        """Where a change of the feed has the resource: `project_member`."""
        return ResourceKind.Name(self.number).removeprefix("RESOURCE_KIND_").lower()


USER: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_USER,
    message=User,
    get_request=GetUserRequest,
    list_request=ListUsersRequest,
    list_response=ListUsersResponse,
    plural="users",
    filters={"tier": "class", "state": "state"},
    columns={"class": "tier", "state": "state"},
    name_of=lambda user: str(user.name),
)
PROJECT: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_PROJECT,
    message=Project,
    get_request=GetProjectRequest,
    list_request=ListProjectsRequest,
    list_response=ListProjectsResponse,
    plural="projects",
    filters={"owner_id": "user_id"},
    columns={"user_id": "owner_id"},
    name_of=lambda project: str(project.name),
)
PROJECT_MEMBER: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_PROJECT_MEMBER,
    message=ProjectMember,
    list_request=ListProjectMembersRequest,
    list_response=ListProjectMembersResponse,
    plural="members",
    filters={"project_id": "project_id", "role": "class"},
    columns={"project_id": "project_id", "user_id": "user_id", "class": "role"},
    id_of=lambda member: f"{member.project_id}/{member.user_id}",
)
WORKFLOW: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_WORKFLOW,
    message=Workflow,
    get_request=GetWorkflowRequest,
    list_request=ListWorkflowsRequest,
    list_response=ListWorkflowsResponse,
    plural="workflows",
    filters={"project_id": "project_id", "user_id": "user_id", "status": "state"},
    columns={"project_id": "project_id", "user_id": "user_id", "state": "status"},
    name_of=lambda workflow: str(workflow.spec.name),
)
EXECUTION: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_EXECUTION,
    message=Execution,
    get_request=GetExecutionRequest,
    list_request=ListExecutionsRequest,
    list_response=ListExecutionsResponse,
    plural="executions",
    filters={"workflow_id": "workflow_id", "user_id": "user_id", "state": "state"},
    columns={"workflow_id": "workflow_id", "user_id": "user_id", "state": "state"},
)
EXTENSION: Final = Kind(
    number=ResourceKind.RESOURCE_KIND_EXTENSION,
    message=Extension,
    get_request=GetExtensionRequest,
    list_request=ListExtensionsRequest,
    list_response=ListExtensionsResponse,
    plural="extensions",
    filters={"project_id": "project_id", "type": "class", "state": "state"},
    columns={"project_id": "project_id", "class": "type", "state": "state"},
    name_of=lambda extension: str(extension.name),
)

KINDS: Final = (USER, PROJECT, PROJECT_MEMBER, WORKFLOW, EXECUTION, EXTENSION)


@cache
def kinds_by_number() -> Mapping[int, Kind]:
    """Each kind by the contract's number of it."""
    return {kind.number: kind for kind in KINDS}


@cache
def kinds_by_request() -> Mapping[type[Message], Kind]:
    """Each kind by the requests that get one, or list them."""
    gets = {kind.get_request: kind for kind in KINDS if kind.get_request is not None}
    return {**gets, **{kind.list_request: kind for kind in KINDS}}
