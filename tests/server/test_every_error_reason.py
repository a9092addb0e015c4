"""Every reason of the contract, made by a real call, says what the contract promises of it."""

from __future__ import annotations

import functools
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import CreateUserRequest, UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowCost, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
from symphony_server.clock import DAY_US, MICROSECONDS, now_us
from symphony_server.ids import new_id
from tests.contract.test_contract import GENERATED
from tests.server.follower import ended, watching
from tests.server.world import Person, Refusal, World, read_refusal, spec, step

Scenario = Callable[[World, pytest.MonkeyPatch], Refusal]

TIERS: Final = {
    "free": {"max_workflows": 1, "max_extensions": 1},
    "pro": {"requests_per_second": 1, "request_burst": 1},
}
"""Limits that are soon met; a PRO user's is hardly ever not."""

DETAILS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: "BadRequest",
    grpc.StatusCode.NOT_FOUND: "ResourceInfo",
    grpc.StatusCode.FAILED_PRECONDITION: "PreconditionFailure",
    grpc.StatusCode.ABORTED: "PreconditionFailure",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "QuotaFailure",
    grpc.StatusCode.UNAVAILABLE: "RetryInfo",
}
"""Code → the detail that comes with it."""

UNRECORDED: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)
"""The codes that are no decision."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all; each scenario has people and projects of its own."""
    with World(tmp_path_factory.mktemp("reasons"), tiers=TIERS) as made:
        yield made


@pytest.fixture(scope="module")
def refusal_of(world: World) -> Callable[[str], Refusal]:
    """Makes the refusal of a reason, once: the next within a second is part of a flood."""

    @functools.cache
    def make(reason: str) -> Refusal:
        with pytest.MonkeyPatch.context() as patch:
            return SCENARIOS[reason](world, patch)

    return make


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


def manifest(name: str = "word-count", entry_point: str = "dist/main.js") -> str:
    keys = {"version": "1.0.0", "type": "operator", "publisher": "Nimbus Tools"}
    return json.dumps({"name": name, "entry_point": entry_point, **keys})


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


def install(owner: Person, project: Project) -> str:
    request = InstallExtensionRequest(project_id=project.id, manifest=manifest())
    return str(owner.get(owner.extensions.InstallExtension, request).id)


def project_extension_not_allowed(world: World, _: pytest.MonkeyPatch) -> Refusal:
    owner = world.user()
    only = ProjectConstraints(allowed_extension_ids=[new_id("extension")])
    project = world.project(owner, constraints=only)
    using = spec("Uses", step("a", extension_id=install(owner, project)))
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


SCENARIOS: Final[dict[str, Scenario]] = {
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
    "EXTENSION_NOT_INSTALLED": of_spec(spec("Lacks", step("a", extension_id=new_id("extension")))),
    "SCAN_REJECTED": of_manifest(manifest(entry_point="/bin/sh")),
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


def code_of(reason: str) -> grpc.StatusCode:
    value = ErrorReason.DESCRIPTOR.values_by_name[f"ERROR_REASON_{reason}"]
    number = value.GetOptions().Extensions[policy_pb2.code]
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def promised_keys() -> dict[str, list[str]]:
    """Reason → the metadata keys that the contract's comment names after `Metadata:`."""
    files = descriptor_pb2.FileDescriptorSet.FromString((GENERATED / "symphony.binpb").read_bytes())
    file = next(f for f in files.file if f.name == error_reason_pb2.DESCRIPTOR.name)
    comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
    found = {}
    for index, value in enumerate(file.enum_type[0].value):
        # The path of a value: enum_type (5), the first, value (2), its index.
        _, _, promise = comments[5, 0, 2, index].partition("Metadata:")
        found[value.name.removeprefix("ERROR_REASON_")] = re.findall(r"`([a-z_]+)`", promise)
    return found


PROMISED_KEYS: Final = promised_keys()


def test_every_reason_of_the_contract_has_a_scenario() -> None:
    every = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118
    assert SCENARIOS.keys() == every - {"UNSPECIFIED"}


def test_the_contract_names_metadata_where_it_is_known_to() -> None:
    assert PROMISED_KEYS["TIER_STEP_LIMIT"] == ["tier", "limit", "actual"]
    assert PROMISED_KEYS["ROLE_REQUIRED"] == ["roles", "permission"]
    assert sum(map(bool, PROMISED_KEYS.values())) > 20


@pytest.mark.parametrize("reason", SCENARIOS)
def test_a_reason_comes_with_all_that_the_contract_promises(
    refusal_of: Callable[[str], Refusal], reason: str
) -> None:
    refusal = refusal_of(reason)

    assert (refusal.code, refusal.reason) == (code_of(reason), reason)
    info = refusal.details["ErrorInfo"]
    assert info.domain == "symphony.v1"
    assert info.metadata["request_id"] == refusal.trailing["x-request-id"]
    if refusal.code in UNRECORDED:
        assert "decision_id" not in info.metadata
    else:
        assert info.metadata["decision_id"] == refusal.trailing["x-symphony-decision-id"]
    missing = [key for key in PROMISED_KEYS[reason] if not info.metadata[key]]
    assert not missing
    assert DETAILS.get(refusal.code, "ErrorInfo") in refusal.details
    if reason == "RATE_LIMITED":
        assert "RetryInfo" in refusal.details


@pytest.mark.parametrize("reason", SCENARIOS)
def test_a_refusal_is_said_in_plain_words(
    refusal_of: Callable[[str], Refusal], reason: str
) -> None:
    refusal = refusal_of(reason)

    said = refusal.message
    assert len(said.split()) >= 4
    assert reason not in said
    assert not re.search(r"Traceback|Error\b|Exception|_pb2|SELECT|secret cause|disk I/O", said)
    assert said.isprintable()
    assert not said.endswith(".")
    described = [
        violation.description
        for kind in ("BadRequest", "QuotaFailure", "PreconditionFailure")
        if kind in refusal.details
        for violation in (
            refusal.details[kind].field_violations
            if kind == "BadRequest"
            else refusal.details[kind].violations
        )
    ]
    assert all(description in said for description in described)
