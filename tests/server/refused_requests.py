"""Calls that are refused for what they ask, or for who asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectRole
from symphony.v1.project_service_pb2 import (
    CreateProjectRequest,
    DeleteProjectRequest,
    ListProjectsRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_pb2 import Role, User, UserState
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowSpec
from symphony_server.clock import DAY_US, MICROSECONDS, now_us
from symphony_server.ids import new_id
from tests.server.extension_requests import manifest
from tests.server.world import Person, Refusal, World, spec, step

Scenario = Callable[[World, pytest.MonkeyPatch], Refusal]


def field_invalid(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    return person.refused(person.projects.CreateProject, CreateProjectRequest(name=" "))


def update_mask_invalid(world: World, _: pytest.MonkeyPatch) -> Refusal:
    return changed_project(world, "owner_id")


def changed_project(world: World, path: str, **fields: Any) -> Refusal:
    owner = world.user()
    changed = Project(id=world.project(owner).id, **fields)
    request = UpdateProjectRequest(project=changed, update_mask=FieldMask(paths=[path]))
    return owner.refused(owner.projects.UpdateProject, request)


def page_token_invalid(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    return person.refused(person.projects.ListProjects, ListProjectsRequest(page_token="mine"))


def of_spec(made: WorkflowSpec) -> Scenario:
    def scenario(world: World, _: pytest.MonkeyPatch) -> Refusal:
        return new_workflow(world, world.user(), spec=made)

    return scenario


def new_workflow(
    world: World, owner: Person, constraints: ProjectConstraints | None = None, **fields: Any
) -> Refusal:
    project = world.project(owner, constraints=constraints)
    return owner.refused(owner.workflows.CreateWorkflow, world.new_workflow(project.id, **fields))


def estimate_below_critical_path(world: World, _: pytest.MonkeyPatch) -> Refusal:
    declared = WorkflowCost(estimated_duration=Duration(seconds=1))
    return new_workflow(world, world.user(), estimated_cost=declared)


def of_manifest(text: str) -> Scenario:
    def scenario(world: World, _: pytest.MonkeyPatch) -> Refusal:
        owner = world.user()
        request = InstallExtensionRequest(project_id=world.project(owner).id, manifest=text)
        return owner.refused(owner.extensions.InstallExtension, request)

    return scenario


def as_anybody(secret: str | None) -> Scenario:
    def scenario(world: World, _: pytest.MonkeyPatch) -> Refusal:
        return lists_projects(Person(world.admin.channel, secret))

    return scenario


def lists_projects(person: Person) -> Refusal:
    return person.refused(person.projects.ListProjects, ListProjectsRequest())


def credentials_expired(world: World, patch: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    tomorrow = Timestamp(seconds=(now_us() + DAY_US) // MICROSECONDS)
    request = CreateTokenRequest(name="brief", expire_time=tomorrow)
    made = person.get(person.access.CreateToken, request)
    patch.setattr("symphony_server.access.authentication.now_us", lambda: now_us() + 2 * DAY_US)
    return lists_projects(Person(person.channel, made.secret))


def role_required(world: World, _: pytest.MonkeyPatch) -> Refusal:
    viewer = world.user(Role.ROLE_VIEWER)
    return viewer.refused(viewer.projects.CreateProject, CreateProjectRequest(name="Mine"))


def project_access_required(world: World, _: pytest.MonkeyPatch) -> Refusal:
    other, project = world.user(), world.project(world.user())
    return other.refused(other.workflows.CreateWorkflow, world.new_workflow(project.id))


def with_viewer(world: World) -> tuple[Person, Project, Person]:
    owner, viewer = world.user(), world.user()
    project = world.project(owner)
    world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
    return owner, project, viewer


def owner_required(world: World, _: pytest.MonkeyPatch) -> Refusal:
    _owner, project, viewer = with_viewer(world)
    return viewer.refused(viewer.projects.DeleteProject, DeleteProjectRequest(id=project.id))


def resource_access_required(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner, project, viewer = with_viewer(world)
    workflow = world.workflow(owner, project, shared=True)
    request = StartExecutionRequest(workflow_id=workflow.id)
    return viewer.refused(viewer.executions.StartExecution, request)


def act_as_not_allowed(world: World, _: pytest.MonkeyPatch) -> Refusal:
    return lists_projects(world.user().acting_as(world.admin.id))


def token_scope_required(world: World, _: pytest.MonkeyPatch) -> Refusal:
    return lists_projects(world.user(scopes=["workflows."]))


def user_suspended(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    suspended = User(id=person.id, state=UserState.USER_STATE_SUSPENDED)
    request = UpdateUserRequest(user=suspended, update_mask=FieldMask(paths=["state"]))
    world.admin.get(world.admin.users.UpdateUser, request)
    return lists_projects(person)


OF_THE_REQUEST: Final[dict[str, Scenario]] = {
    "FIELD_INVALID": field_invalid,
    "UPDATE_MASK_INVALID": update_mask_invalid,
    "PAGE_TOKEN_INVALID": page_token_invalid,
    "STEP_NAME_DUPLICATE": of_spec(spec("Twice", step("a"), step("a"))),
    "STEP_DEPENDENCY_UNKNOWN": of_spec(spec("Lost", step("a", "b"))),
    "STEP_DEPENDENCY_SELF": of_spec(spec("Itself", step("a", "a"))),
    "STEP_DEPENDENCY_CYCLE": of_spec(spec("Circle", step("a", "b"), step("b", "a"))),
    "ESTIMATE_BELOW_CRITICAL_PATH": estimate_below_critical_path,
    "MANIFEST_MALFORMED": of_manifest("{"),
    "MANIFEST_INVALID": of_manifest(manifest(name="Word Count")),
    "CREDENTIALS_MISSING": as_anybody(None),
    "CREDENTIALS_INVALID": as_anybody("sym_mistyped"),
    "CREDENTIALS_EXPIRED": credentials_expired,
    "ROLE_REQUIRED": role_required,
    "PROJECT_ACCESS_REQUIRED": project_access_required,
    "OWNER_REQUIRED": owner_required,
    "RESOURCE_ACCESS_REQUIRED": resource_access_required,
    "ACT_AS_NOT_ALLOWED": act_as_not_allowed,
    "TOKEN_SCOPE_REQUIRED": token_scope_required,
    "USER_SUSPENDED": user_suspended,
    "EXTENSION_NOT_INSTALLED": of_spec(spec("Lacks", step("a", extension_id=new_id("extension")))),
    "SCAN_REJECTED": of_manifest(manifest(entry_point="/bin/sh")),
}
"""Reason → what is refused for it."""
