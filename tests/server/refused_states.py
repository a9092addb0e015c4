"""Calls that are refused for what there is already, for a limit, or for how the server is."""

from __future__ import annotations

import sqlite3
from typing import Final

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import ProjectConstraints, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
)
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowCost, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
from symphony_server.ids import new_id
from tests.server.extension_requests import install, manifest
from tests.server.follower import ended, watching
from tests.server.refused_requests import (
    Scenario,
    changed_project,
    lists_projects,
    new_workflow,
    with_viewer,
)
from tests.server.world import Refusal, World, read_refusal, spec, step


def resource_not_found(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    request = GetProjectRequest(id=new_id("project"))
    return person.refused(person.projects.GetProject, request)


def duplicate_name(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    project = world.project(owner)
    world.workflow(owner, project, spec=spec("Build"))
    request = world.new_workflow(project.id, spec=spec("BUILD"))
    return owner.refused(owner.workflows.CreateWorkflow, request)


def email_taken(world: World, _: pytest.MonkeyPatch) -> Refusal:
    taken = world.user().user.email
    request = CreateUserRequest(email=taken, name="Other", tier=Tier.TIER_FREE)
    return world.admin.refused(world.admin.users.CreateUser, request)


def id_taken(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    request = CreateProjectRequest(project_id=world.project(owner).id, name="Same id")
    return owner.refused(owner.projects.CreateProject, request)


def request_id_reused(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    world.project(owner, name="One", request_id="once")
    request = CreateProjectRequest(name="Other", request_id="once")
    return owner.refused(owner.projects.CreateProject, request)


def already_member(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner, project, viewer = with_viewer(world)
    request = AddProjectMemberRequest(
        project_id=project.id, user_id=viewer.id, role=ProjectRole.PROJECT_ROLE_VIEWER
    )
    return owner.refused(owner.projects.AddProjectMember, request)


def tier_step_limit(world: World, _: pytest.MonkeyPatch) -> Refusal:
    eleven = spec("Long", *(step(f"s{n}") for n in range(11)))
    return new_workflow(world, world.user(tier=Tier.TIER_FREE), spec=eleven)


def tier_duration_limit(world: World, _: pytest.MonkeyPatch) -> Refusal:
    declared = WorkflowCost(estimated_duration=Duration(seconds=601))
    return new_workflow(world, world.user(tier=Tier.TIER_FREE), estimated_cost=declared)


def of_constraints(constraints: ProjectConstraints, made: WorkflowSpec) -> Scenario:
    def scenario(world: World, _: pytest.MonkeyPatch) -> Refusal:
        return new_workflow(world, world.user(), constraints, spec=made)

    return scenario


def project_extension_not_allowed(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    only = ProjectConstraints(allowed_extension_ids=[new_id("extension")])
    project = world.project(owner, constraints=only)
    using = spec("Uses", step("a", extension_id=install(owner, project).id))
    request = world.new_workflow(project.id, spec=using)
    return owner.refused(owner.workflows.CreateWorkflow, request)


def resource_in_use(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    project = world.project(owner)
    world.workflow(owner, project)
    return owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))


def state_transition_invalid(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    archived = Workflow(id=workflow.id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED)
    request = UpdateWorkflowRequest(workflow=archived, update_mask=FieldMask(paths=["status"]))
    owner.get(owner.workflows.UpdateWorkflow, request)
    return owner.refused(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )


def precondition_failed(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    request = ExecuteTransactionRequest(
        preconditions=[Precondition(resource_id=new_id("project"), exists=True)],
        operations=[TransactionOperation(create_project=CreateProjectRequest(name="New"))],
    )
    return person.refused(person.transactions.ExecuteTransaction, request)


def last_owner(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    request = RemoveProjectMemberRequest(project_id=world.project(owner).id, user_id=owner.id)
    return owner.refused(owner.projects.RemoveProjectMember, request)


def tier_workflow_limit(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user(tier=Tier.TIER_FREE)
    world.workflow(owner, world.project(owner))
    return new_workflow(world, owner)


def tier_extension_limit(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user(tier=Tier.TIER_FREE)
    project = world.project(owner)
    install(owner, project)
    request = InstallExtensionRequest(project_id=project.id, manifest=manifest("line-sort"))
    return owner.refused(owner.extensions.InstallExtension, request)


def project_workflow_limit(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    project = world.project(owner, constraints=ProjectConstraints(max_workflows=1))
    world.workflow(owner, project)
    return owner.refused(owner.workflows.CreateWorkflow, world.new_workflow(project.id))


def rate_limited(world: World, _: pytest.MonkeyPatch) -> Refusal:
    person = world.user(tier=Tier.TIER_PRO)
    for _n in range(100):  # until one comes within a second of another
        try:
            person.get(person.projects.ListProjects, ListProjectsRequest())
        except grpc.RpcError as error:
            return read_refusal(error)
    raise AssertionError("a hundred calls were more than a second apart each")


def etag_mismatch(world: World, _: pytest.MonkeyPatch) -> Refusal:
    return changed_project(world, "name", name="New", etag="stale")


def revision_compacted(world: World, _: pytest.MonkeyPatch) -> Refusal:
    with watching(world.user(), 10**9) as call:
        return ended(call)


def overloaded(world: World, patch: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    patch.setattr(world.server.running.services.load, "max_calls", 0)
    return lists_projects(person)


def store_unavailable(world: World, patch: pytest.MonkeyPatch) -> Refusal:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    person = world.user()
    patch.setattr("symphony_server.store.transaction.Transaction.commit", fail)
    return person.refused(person.projects.CreateProject, CreateProjectRequest(name="Lost"))


def shutting_down(world: World, patch: pytest.MonkeyPatch) -> Refusal:
    person = world.user()
    patch.setattr(world.server.running.services.load, "stopping", True)
    with watching(person) as call:
        return ended(call)


def internal(world: World, patch: pytest.MonkeyPatch) -> Refusal:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret cause")

    person = world.user()
    patch.setattr("symphony_server.use_cases.projects.list_projects.read_page", fail)
    return lists_projects(person)


OF_THE_STATE: Final[dict[str, Scenario]] = {
    "RESOURCE_NOT_FOUND": resource_not_found,
    "DUPLICATE_NAME": duplicate_name,
    "EMAIL_TAKEN": email_taken,
    "ID_TAKEN": id_taken,
    "REQUEST_ID_REUSED": request_id_reused,
    "ALREADY_MEMBER": already_member,
    "TIER_STEP_LIMIT": tier_step_limit,
    "TIER_DURATION_LIMIT": tier_duration_limit,
    "PROJECT_STEP_LIMIT": of_constraints(
        ProjectConstraints(max_steps_per_workflow=1), spec("Two", step("a"), step("b"))
    ),
    "PROJECT_DURATION_LIMIT": of_constraints(
        ProjectConstraints(max_estimated_duration=Duration(seconds=1)), spec("Takes five")
    ),
    "PROJECT_EXTENSION_NOT_ALLOWED": project_extension_not_allowed,
    "RESOURCE_IN_USE": resource_in_use,
    "STATE_TRANSITION_INVALID": state_transition_invalid,
    "PRECONDITION_FAILED": precondition_failed,
    "LAST_OWNER": last_owner,
    "TIER_WORKFLOW_LIMIT": tier_workflow_limit,
    "TIER_EXTENSION_LIMIT": tier_extension_limit,
    "PROJECT_WORKFLOW_LIMIT": project_workflow_limit,
    "RATE_LIMITED": rate_limited,
    "ETAG_MISMATCH": etag_mismatch,
    "REVISION_COMPACTED": revision_compacted,
    "OVERLOADED": overloaded,
    "STORE_UNAVAILABLE": store_unavailable,
    "SHUTTING_DOWN": shutting_down,
    "INTERNAL": internal,
}
"""Reason → what is refused for it."""
