"""Making users, projects and workflows."""

from __future__ import annotations

from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowCost, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.mock_world.checks import email_taken, found, id_taken, name_taken
from symphony_client.mock_world.refusals import Wrong, refuse
from symphony_client.mock_world.world import Write
from symphony_client.resources.kinds import PROJECT, PROJECT_MEMBER, USER, WORKFLOW
from symphony_client.rules.cost import calculate_workflow_cost


def create_user(write: Write, request: CreateUserRequest) -> User:
    """The new user: FREE, VIEWER and ACTIVE where the request does not say."""
    user = User(
        id=request.user_id or write.new_id(USER),
        email=request.email,
        name=request.name,
        tier=request.tier or Tier.TIER_FREE,
        roles=request.roles or [Role.ROLE_VIEWER],
        state=request.state or UserState.USER_STATE_ACTIVE,
    )
    refuse(
        email_taken(write.world, user.email, field="email"),
        id_taken(write.world, USER, request.user_id, field="user_id"),
    )
    created: User = write.create(USER, user)
    return created


def create_project(write: Write, request: CreateProjectRequest) -> Project:
    """The new project, with the caller as its OWNER."""
    refuse(id_taken(write.world, PROJECT, request.project_id, field="project_id"))
    project = Project(
        id=request.project_id or write.new_id(PROJECT),
        owner_id=write.user_id,
        name=request.name,
        description=request.description,
    )
    if request.constraints.ByteSize():
        project.constraints.CopyFrom(request.constraints)
    created: Project = write.create(PROJECT, project)
    write.create(PROJECT_MEMBER, first_owner(project))
    return created


def first_owner(project: Project) -> ProjectMember:
    """The membership of whoever made a project."""
    return ProjectMember(
        project_id=project.id, user_id=project.owner_id, role=ProjectRole.PROJECT_ROLE_OWNER
    )


def create_workflow(write: Write, request: CreateWorkflowRequest) -> Workflow:
    """The new workflow, owned by the caller, with what its estimate left out computed."""
    refuse(_owner_is_another(request.user_id, write.user_id))
    found(write.world, PROJECT, request.project_id, field="project_id")
    workflow = Workflow(
        id=request.workflow_id or write.new_id(WORKFLOW),
        project_id=request.project_id,
        user_id=write.user_id,
        spec=request.spec,
        estimated_cost=completed(request.estimated_cost, request.spec),
        shared=request.shared,
        status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
    )
    refuse(
        name_taken(write.world, WORKFLOW, workflow, field="spec.name"),
        id_taken(write.world, WORKFLOW, request.workflow_id, field="workflow_id"),
    )
    created: Workflow = write.create(WORKFLOW, workflow)
    return created


def completed(declared: WorkflowCost, spec: WorkflowSpec) -> WorkflowCost:
    """An estimate with what it leaves out computed from the steps."""
    cost = calculate_workflow_cost(spec)
    if declared.HasField("compute_units"):
        cost.compute_units = declared.compute_units
    if declared.HasField("estimated_duration"):
        cost.estimated_duration.CopyFrom(declared.estimated_duration)
    return cost


def _owner_is_another(asked: str, user_id: str) -> Wrong | None:
    if asked in ("", user_id):
        return None
    return Wrong(
        reason="ACT_AS_NOT_ALLOWED",
        description="must be empty or the user that the call is made for; acting_as() makes it "
        "for another",
        field="user_id",
    )
