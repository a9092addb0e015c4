"""What only one kind of resource has, every adapter has: members, manifests, constraints."""

from __future__ import annotations

from typing import Any

from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import ListExecutionsRequest, StartExecutionRequest
from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.extension_service_pb2 import ListExtensionsRequest
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    ListProjectMembersRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony_client.data_access import DataAccess
from symphony_client.errors import AlreadyExists, NotFound, PreconditionFailed, ValidationFailed
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import caller, made_workflow, new_project
from tests.contract.adapters.conformance import PERSON, every, installing, refused
from tests.server.extension_requests import manifest


async def test_members_come_change_and_go(data: DataAccess) -> None:
    ada = await data.users.save(PERSON)
    project = await new_project(data)
    viewer, owner = ProjectRole.PROJECT_ROLE_VIEWER, ProjectRole.PROJECT_ROLE_OWNER
    adding = AddProjectMemberRequest(project_id=project.id, user_id=ada.id, role=viewer)
    member = await data.projects.add_member(adding)
    error = await refused(data.projects.add_member(adding))
    assert (type(error), error.reason) == (AlreadyExists, "ALREADY_MEMBER")
    member.role = owner
    changed = await data.projects.update_member(UpdateProjectMemberRequest(project_member=member))
    assert changed == ProjectMember(
        project_id=project.id, user_id=ada.id, role=owner, create_time=member.create_time
    )

    async def ids(**criteria: Any) -> list[str]:
        listing = ListProjectMembersRequest(project_id=project.id, page_size=1, **criteria)
        return [m.user_id for m in await every(data.projects.find_members(listing))]

    assert len(await ids()) == 2
    assert await ids(role=viewer) == []
    me = await caller(data)
    for user in (ada, me):
        last = user is me
        call = data.projects.remove_member(
            RemoveProjectMemberRequest(project_id=project.id, user_id=user.id)
        )
        if last:
            error = await refused(call)
            assert (type(error), error.reason) == (PreconditionFailed, "LAST_OWNER")
        else:
            await call
    assert await ids() == [me.id]
    unknown = ListProjectMembersRequest(project_id=new_id("project"))
    assert isinstance(await refused(every(data.projects.find_members(unknown))), NotFound)


async def test_an_execution_is_started_reported_and_cancelled(data: DataAccess) -> None:
    workflow = await made_workflow(data, await new_project(data))
    starting = StartExecutionRequest(workflow_id=workflow.id)
    first = await data.executions.start(starting)
    assert first.state == ExecutionState.EXECUTION_STATE_PENDING
    assert [step.name for step in first.steps] == ["fetch"]
    running = await data.executions.save(
        Execution(id=first.id, state=ExecutionState.EXECUTION_STATE_RUNNING), paths=["state"]
    )
    assert running.state == ExecutionState.EXECUTION_STATE_RUNNING
    cancelled = await data.executions.cancel(first.id)
    assert cancelled.state == ExecutionState.EXECUTION_STATE_CANCELLED
    error = await refused(data.executions.cancel(first.id))
    assert (type(error), error.reason) == (PreconditionFailed, "STATE_TRANSITION_INVALID")
    second = await data.executions.start(starting)
    pending = ListExecutionsRequest(
        workflow_id=workflow.id, state=ExecutionState.EXECUTION_STATE_PENDING
    )
    assert await every(data.executions.find_by_criteria(pending)) == [second]


async def test_an_extension_is_installed_disabled_and_removed(data: DataAccess) -> None:
    project = await new_project(data)
    text = manifest(permissions=["workflow.read"], homepage="https://example.com/word-count")
    made = await data.extensions.install(installing(project, text))
    assert (made.name, made.version, made.publisher) == ("word-count", "1.0.0", "Nimbus Tools")
    assert made.state == ExtensionState.EXTENSION_STATE_ENABLED
    disabled = Extension(id=made.id, state=ExtensionState.EXTENSION_STATE_DISABLED)
    saved = await data.extensions.save(disabled, paths=["state"])
    listing = ListExtensionsRequest(state=ExtensionState.EXTENSION_STATE_DISABLED)
    assert await every(data.extensions.find_by_criteria(listing)) == [saved]
    error = await refused(data.extensions.install(installing(project, "{")))
    assert (type(error), error.reason) == (ValidationFailed, "MANIFEST_MALFORMED")
    assert error.violations[0].field == "manifest"
    await data.extensions.delete(made.id)
    assert await data.extensions.find_by_id(made.id) is None


async def test_a_user_is_made_by_save_or_by_request(data: DataAccess) -> None:
    saved = await data.users.save(PERSON)
    assert (saved.email, saved.name, saved.tier, list(saved.roles)) == (
        PERSON.email,
        PERSON.name,
        PERSON.tier,
        list(PERSON.roles),
    )
    made = await data.users.create_user(CreateUserRequest(email="b@example.com", name="Bob"))
    assert made.tier == Tier.TIER_FREE
    assert list(made.roles) == [Role.ROLE_VIEWER]


async def test_constraints_are_kept_and_read_alone(data: DataAccess) -> None:
    constraints = ProjectConstraints(max_workflows=3, max_steps_per_workflow=5)
    project = await data.projects.save(Project(name="Tight", constraints=constraints))
    assert await data.projects.get_project_constraints(project.id) == constraints
    error = await refused(data.projects.get_project_constraints(new_id("project")))
    assert isinstance(error, NotFound)
