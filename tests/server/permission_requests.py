"""How each row of the permission table is asked: for a cell, the request that addresses it.

Every request is one that nothing but permissions speaks against. Writes are only validated,
which runs the same code and leaves the world as it is for the next cell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    CreateTokenRequest,
    ExplainDecisionRequest,
    ListTokensRequest,
    RevokeTokenRequest,
    WhoAmIRequest,
)
from symphony.v1.audit_service_pb2 import (
    GetAuditRecordRequest,
    GetAuditTreeHeadRequest,
    GetConsistencyProofRequest,
    GetInclusionProofRequest,
    ListAuditRecordsRequest,
)
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    InstallExtensionRequest,
    ListExtensionsRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectConstraintsRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    GetUserRequest,
    ListUsersRequest,
    UpdateUserRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from tests.server.permission_matrix import (
    OPERATIONS,
    Cell,
    rpc_of,
)
from tests.server.permission_wire import Ask
from tests.server.permission_world import Holdings, MatrixWorld
from tests.server.world import spec, step

PAGE_SIZE: Final = 100
"""More than one caller meets, fewer than there are of anything in the whole world."""
MANIFEST: Final = json.dumps(
    {
        "name": "word-count",
        "version": "1.0.0",
        "type": "operator",
        "publisher": "Nimbus Tools",
        "entry_point": "dist/main.js",
    }
)


@dataclass(frozen=True)
class Met:
    """What a cell's caller addresses."""

    world: MatrixWorld
    cell: Cell

    @property
    def holdings(self) -> Holdings:
        return self.world.holdings(self.cell)

    @property
    def user(self) -> User:
        """The caller, or another user who has nothing and is in nothing."""
        return self.holdings.person.user if self.cell.mine else self.world.newcomer.person.user

    @property
    def project_id(self) -> str:
        return self.holdings.projects[self.cell.mine]

    @property
    def workflow_id(self) -> str:
        return self.holdings.workflows[self.cell.mine, self.cell.shared]

    @property
    def execution_id(self) -> str:
        return self.holdings.executions[self.cell.mine, self.cell.shared, self.cell.started]

    @property
    def decision_id(self) -> str:
        """A decision about the caller, or about another; who is suspended has none of its own."""
        other = self.world.host.decision_id
        return (self.holdings.decision_id or other) if self.cell.mine else other


def _update_user(met: Met, *paths: str, **fields: Any) -> UpdateUserRequest:
    request = UpdateUserRequest(user=User(id=met.user.id, **fields))
    request.update_mask.paths.extend(paths)
    return request


def _update_workflow(met: Met, path: str, **fields: Any) -> UpdateWorkflowRequest:
    request = UpdateWorkflowRequest(workflow=Workflow(id=met.workflow_id, **fields))
    request.update_mask.paths.append(path)
    return request


def _create_workflow(
    met: Met, steps: int = 1, seconds: int = 5, user_id: str = ""
) -> CreateWorkflowRequest:
    made = _spec(steps, seconds)
    return CreateWorkflowRequest(project_id=met.project_id, spec=made, user_id=user_id)


def _spec(steps: int, seconds: int) -> WorkflowSpec:
    """So many steps, one of which takes as long as the whole may."""
    made = spec("new workflow", *(step(f"step {number}") for number in range(steps)))
    made.steps[0].estimated_duration.FromSeconds(seconds)
    return made


def _member(met: Met, user_id: str) -> ProjectMember:
    role = ProjectRole.PROJECT_ROLE_COLLABORATOR
    return ProjectMember(project_id=met.project_id, user_id=user_id, role=role)


REQUESTS: Final[Mapping[str, Callable[[Met], Message]]] = {
    "UserService/CreateUser": lambda _: CreateUserRequest(email="new@example.com", name="New"),
    "UserService/DeleteUser": lambda m: DeleteUserRequest(id=m.user.id),
    "UserService/ListUsers": lambda _: ListUsersRequest(page_size=PAGE_SIZE),
    "UserService/UpdateUser: tier": lambda m: _update_user(m, "tier", tier=Tier.TIER_PRO),
    "UserService/UpdateUser: roles": lambda m: _update_user(
        m, "roles", roles=[Role.ROLE_DEVELOPER, Role.ROLE_ADMIN]
    ),
    "UserService/UpdateUser: state": lambda m: _update_user(
        m, "state", state=UserState.USER_STATE_SUSPENDED
    ),
    "UserService/UpdateUser: email": lambda m: _update_user(
        m, "email", email="changed@example.com"
    ),
    "UserService/UpdateUser: name and tier": lambda m: _update_user(
        m, "name", "tier", name="Changed", tier=Tier.TIER_PRO
    ),
    "UserService/UpdateUser: name": lambda m: _update_user(m, "name", name="Changed"),
    "UserService/GetUser": lambda m: GetUserRequest(id=m.user.id),
    "UserService/GetUserCapabilities": lambda m: GetUserCapabilitiesRequest(user_id=m.user.id),
    "UserService/GetUserByEmail": lambda m: GetUserByEmailRequest(email=m.user.email),
    "ProjectService/CreateProject": lambda _: CreateProjectRequest(name="new project"),
    "ProjectService/GetProject": lambda m: GetProjectRequest(id=m.project_id),
    "ProjectService/GetProjectConstraints": lambda m: GetProjectConstraintsRequest(
        project_id=m.project_id
    ),
    "ProjectService/ListProjectMembers": lambda m: ListProjectMembersRequest(
        project_id=m.project_id
    ),
    "ProjectService/ListProjects": lambda m: ListProjectsRequest(
        owner_id=m.holdings.person.id if m.cell.mine else m.world.host.person.id,
        page_size=PAGE_SIZE,
    ),
    "ProjectService/ListProjects: everywhere": lambda _: ListProjectsRequest(page_size=PAGE_SIZE),
    "ProjectService/UpdateProject": lambda m: UpdateProjectRequest(
        project=Project(id=m.project_id, description="changed")
    ),
    "ProjectService/DeleteProject": lambda m: DeleteProjectRequest(
        id=m.holdings.empty_projects[m.cell.mine]
    ),
    "ProjectService/DeleteProject: not empty": lambda m: DeleteProjectRequest(id=m.project_id),
    "ProjectService/AddProjectMember": lambda m: AddProjectMemberRequest(
        project_id=m.project_id,
        user_id=m.world.newcomer.person.id,
        role=ProjectRole.PROJECT_ROLE_VIEWER,
    ),
    "ProjectService/AddProjectMember: itself": lambda m: AddProjectMemberRequest(
        project_id=m.project_id,
        user_id=m.holdings.person.id,
        role=ProjectRole.PROJECT_ROLE_OWNER,
    ),
    "ProjectService/UpdateProjectMember": lambda m: UpdateProjectMemberRequest(
        project_member=_member(m, m.world.member.person.id)
    ),
    "ProjectService/UpdateProjectMember: itself": lambda m: UpdateProjectMemberRequest(
        project_member=_member(m, m.holdings.person.id)
    ),
    "ProjectService/RemoveProjectMember": lambda m: RemoveProjectMemberRequest(
        project_id=m.project_id, user_id=m.world.member.person.id
    ),
    "ProjectService/RemoveProjectMember: itself": lambda m: RemoveProjectMemberRequest(
        project_id=m.project_id, user_id=m.holdings.person.id
    ),
    "WorkflowService/CreateWorkflow": _create_workflow,
    "WorkflowService/CreateWorkflow: for itself": lambda m: _create_workflow(
        m, user_id=m.holdings.person.id
    ),
    "WorkflowService/CreateWorkflow: for another": lambda m: _create_workflow(
        m, user_id=m.world.newcomer.person.id
    ),
    "WorkflowService/CreateWorkflow: 10 steps, 10 min": lambda m: _create_workflow(m, 10, 600),
    "WorkflowService/CreateWorkflow: 11 steps, 10 min 1 s": lambda m: _create_workflow(m, 11, 601),
    "WorkflowService/CreateWorkflow: 100 steps, 4 h": lambda m: _create_workflow(m, 100, 14_400),
    "WorkflowService/CreateWorkflow: 101 steps, 4 h 1 s": lambda m: _create_workflow(
        m, 101, 14_401
    ),
    "WorkflowService/GetWorkflow": lambda m: GetWorkflowRequest(id=m.workflow_id),
    "WorkflowService/ListWorkflows": lambda m: ListWorkflowsRequest(
        project_id=m.project_id, page_size=PAGE_SIZE
    ),
    "WorkflowService/ListWorkflows: everywhere": lambda _: ListWorkflowsRequest(
        page_size=PAGE_SIZE
    ),
    "ExecutionService/GetExecution": lambda m: GetExecutionRequest(id=m.execution_id),
    "ExecutionService/ListExecutions": lambda m: ListExecutionsRequest(
        workflow_id=m.holdings.run_workflows[m.cell.mine, m.cell.shared], page_size=PAGE_SIZE
    ),
    "ExecutionService/ListExecutions: everywhere": lambda _: ListExecutionsRequest(
        page_size=PAGE_SIZE
    ),
    "WorkflowService/UpdateWorkflow: description": lambda m: _update_workflow(
        m, "spec.description", spec=WorkflowSpec(description="changed")
    ),
    "WorkflowService/UpdateWorkflow: shared": lambda m: _update_workflow(
        m, "shared", shared=not m.cell.shared
    ),
    "WorkflowService/UpdateWorkflow: status": lambda m: _update_workflow(
        m, "status", status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
    ),
    "WorkflowService/UpdateWorkflow: 11 steps, 10 min 1 s": lambda m: _update_workflow(
        m, "spec.steps", spec=_spec(11, 601)
    ),
    "WorkflowService/DeleteWorkflow": lambda m: DeleteWorkflowRequest(id=m.workflow_id),
    "ExecutionService/StartExecution": lambda m: StartExecutionRequest(workflow_id=m.workflow_id),
    "ExecutionService/UpdateExecution": lambda m: UpdateExecutionRequest(
        execution=Execution(id=m.execution_id, state=ExecutionState.EXECUTION_STATE_CANCELLED)
    ),
    "ExecutionService/CancelExecution": lambda m: CancelExecutionRequest(id=m.execution_id),
    "ExtensionService/InstallExtension": lambda m: InstallExtensionRequest(
        project_id=m.project_id, manifest=MANIFEST
    ),
    "ExtensionService/UpdateExtension": lambda m: UpdateExtensionRequest(
        extension=Extension(
            id=m.holdings.extensions[m.cell.mine], state=ExtensionState.EXTENSION_STATE_DISABLED
        )
    ),
    "ExtensionService/UninstallExtension": lambda m: UninstallExtensionRequest(
        id=m.holdings.extensions[m.cell.mine]
    ),
    "ExtensionService/GetExtension": lambda m: GetExtensionRequest(
        id=m.holdings.extensions[m.cell.mine]
    ),
    "ExtensionService/ListExtensions": lambda m: ListExtensionsRequest(
        project_id=m.project_id, page_size=PAGE_SIZE
    ),
    "ExtensionService/ListExtensions: everywhere": lambda _: ListExtensionsRequest(
        page_size=PAGE_SIZE
    ),
    "AccessService/CreateToken": lambda m: CreateTokenRequest(user_id=m.user.id, name="new"),
    "AccessService/ListTokens": lambda m: ListTokensRequest(user_id=m.user.id),
    "AccessService/RevokeToken": lambda m: RevokeTokenRequest(
        id=m.holdings.token_id if m.cell.mine else m.world.other_token_id
    ),
    "AccessService/CheckAccess": lambda m: CheckAccessRequest(
        user_id=m.user.id, checks=[AccessCheck(permission="projects.create")]
    ),
    "AccessService/ExplainDecision": lambda m: ExplainDecisionRequest(decision_id=m.decision_id),
    "AccessService/WhoAmI": lambda _: WhoAmIRequest(),
    "AuditService/ListAuditRecords": lambda m: ListAuditRecordsRequest(
        user_id=m.user.id, page_size=1
    ),
    "AuditService/GetAuditRecord": lambda m: GetAuditRecordRequest(id=m.decision_id),
    "AuditService/GetAuditTreeHead": lambda _: GetAuditTreeHeadRequest(),
    "AuditService/GetInclusionProof": lambda m: GetInclusionProofRequest(id=m.decision_id),
    "AuditService/GetConsistencyProof": lambda _: GetConsistencyProofRequest(first_size=1),
    "ChangeService/Watch": lambda _: WatchRequest(),
    "ServerInfoService/GetServerInfo": lambda _: GetServerInfoRequest(),
}


ADDRESSED: Final = {
    "UserService/GetUser": "id",
    "UserService/GetUserByEmail": "email",
    "UserService/GetUserCapabilities": "user_id",
    "UserService/UpdateUser": "user.id",
    "UserService/DeleteUser": "id",
    "ProjectService/GetProject": "id",
    "ProjectService/GetProjectConstraints": "project_id",
    "ProjectService/UpdateProject": "project.id",
    "ProjectService/DeleteProject": "id",
    "ProjectService/AddProjectMember": "project_id",
    "ProjectService/UpdateProjectMember": "project_member.project_id",
    "ProjectService/RemoveProjectMember": "project_id",
    "ProjectService/ListProjectMembers": "project_id",
    "WorkflowService/GetWorkflow": "id",
    "WorkflowService/UpdateWorkflow": "workflow.id",
    "WorkflowService/DeleteWorkflow": "id",
    "ExecutionService/StartExecution": "workflow_id",
    "ExecutionService/GetExecution": "id",
    "ExecutionService/UpdateExecution": "execution.id",
    "ExecutionService/CancelExecution": "id",
    "ExtensionService/GetExtension": "id",
    "ExtensionService/UpdateExtension": "extension.id",
    "ExtensionService/UninstallExtension": "id",
    "AccessService/ExplainDecision": "decision_id",
    "AccessService/RevokeToken": "id",
}
"""RPC that answers RESOURCE_NOT_FOUND for what is hidden → the field that addresses it."""


def request_of(key: str, met: Met, *, validate_only: bool = True) -> Any:
    """The request of a row for a cell; a write only validates unless it is said."""
    _, _, operation = key.partition("ExecuteTransaction: ")
    request: Any
    if operation:
        write: Any = REQUESTS[OPERATIONS[operation]](met)
        request = ExecuteTransactionRequest(operations=[TransactionOperation(**{operation: write})])
    else:
        request = REQUESTS[key](met)
    if "validate_only" in request.DESCRIPTOR.fields_by_name:
        request.validate_only = validate_only
    return request


def ask_of(key: str, world: MatrixWorld, cell: Cell, *, validate_only: bool = True) -> Ask:
    """The call of a row that a cell's caller makes itself."""
    met = Met(world, cell)
    request = request_of(key, met, validate_only=validate_only)
    return Ask(rpc_of(key), request, met.holdings.person)
