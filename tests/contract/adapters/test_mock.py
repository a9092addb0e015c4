"""The mock: it holds and fails as it is told, is the same at every run, refuses as the server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest, WhoAmIRequest
from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.extension_pb2 import Extension, ManifestFormat, ScanVerdict
from symphony.v1.extension_service_pb2 import (
    InstallExtensionRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectConstraintsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    UpdateUserRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.accesses.projects import Projects
from symphony_client.accesses.users import Users
from symphony_client.accesses.workflows import Workflows
from symphony_client.adapters.local import LocalDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.channel_settings import ChannelSettings
from symphony_client.data_source import DataSource
from symphony_client.errors import (
    AuthorizationFailed,
    Conflict,
    DataError,
    NetworkError,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    PreValidationFailed,
)

SUFFIX: Final = "01h455vb4pex5vsknk084sn0"
USER, OTHER_USER = f"user_{SUFFIX}2a", f"user_{SUFFIX}2b"
PROJECT, EMPTY, FULL = (f"project_{SUFFIX}2{end}" for end in "abc")
WORKFLOW, OTHER, ARCHIVED = (f"workflow_{SUFFIX}2{end}" for end in "abc")
RUN, ENDED = (f"execution_{SUFFIX}2{end}" for end in "ab")
EXTENSION = f"extension_{SUFFIX}2a"
NOBODY, NOWHERE = f"user_{SUFFIX}zz", f"project_{SUFFIX}zz"
NOTHING, NEVER, NONE = (f"{kind}_{SUFFIX}zz" for kind in ("workflow", "execution", "extension"))

ADA: Final = User(id=USER, name="Ada", email="ada@example.com")


def spec(name: str = "Build", **step: Any) -> WorkflowSpec:
    return WorkflowSpec(name=name, steps=[WorkflowStep(name="fetch", command="git pull", **step)])


def making(project_id: str = PROJECT, name: str = "Build", **fields: Any) -> CreateWorkflowRequest:
    return CreateWorkflowRequest(project_id=project_id, spec=spec(name), **fields)


def manifest(name: str = "word-count", version: str | None = "1.0.0", **other: Any) -> str:
    document = {
        "name": name,
        "version": version,
        "type": "operator",
        "publisher": "example",
        "entry_point": "dist/main.js",
        "permissions": ["workflow.read"],
        "homepage": "https://example.com/word-count",
        **other,
    }
    return json.dumps({key: value for key, value in document.items() if value is not None})


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
        installing(manifest(), extension_id=EXTENSION),
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


RUNNING, FAILED = ExecutionState.EXECUTION_STATE_RUNNING, ExecutionState.EXECUTION_STATE_FAILED
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER
JSON, TOML = ManifestFormat.MANIFEST_FORMAT_JSON, ManifestFormat.MANIFEST_FORMAT_TOML

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


async def test_two_that_are_told_the_same_say_the_same() -> None:
    first, second = MockDataSource(), MockDataSource()
    await fill(first)
    await fill(second)
    request = making(name="New")
    answer = await first.call(request)
    assert await second.call(request) == answer
    assert answer.message.id.startswith("workflow_01")
    later = (await first.call(making(name="Newer"))).message
    assert later.id > answer.message.id
    passed = later.create_time.ToMilliseconds() - answer.message.create_time.ToMilliseconds()
    assert passed == 1


async def test_the_first_user_is_the_caller_and_owns_what_it_makes() -> None:
    source = MockDataSource().with_user(ADA).with_user(User(id=OTHER_USER, email="b@example.com"))
    project = await Projects(source).save(Project(name="Mine"))
    assert project.owner_id == USER
    assert await Users(source).find_by_email("ADA@EXAMPLE.COM") == await Users(source).find_by_id(
        USER
    )
    me = (await source.call(WhoAmIRequest())).message
    assert (me.user.id, me.caller.id) == (USER, USER)
    other = (await source.acting_as(OTHER_USER).call(WhoAmIRequest())).message
    assert (other.user.id, other.caller.id) == (OTHER_USER, USER)
    with pytest.raises(AuthorizationFailed, match="no such user"):
        await source.acting_as(NOBODY).call(WhoAmIRequest())


async def test_without_any_user_there_is_a_default_one() -> None:
    source = MockDataSource()
    me = (await source.call(WhoAmIRequest())).message.user
    assert me.email == "mock@example.com"
    assert (await Projects(source).save(Project(name="Mine"))).owner_id == me.id


async def test_capabilities_are_those_that_were_given_or_all() -> None:
    given = UserCapabilities(can_create_workflows=False, max_workflow_steps=3)
    source = MockDataSource().with_user(ADA, given).with_user(User(id=OTHER_USER))
    users = Users(source)
    given.user_id = USER
    assert await users.get_user_capabilities(USER) == given
    other = await users.get_user_capabilities(OTHER_USER)
    assert (other.can_create_workflows, other.max_workflow_steps) == (True, 1000)


async def test_resources_are_as_they_were_given_with_what_the_server_sets_filled_in() -> None:
    source = (
        MockDataSource()
        .with_user(ADA)
        .with_project(Project(id=PROJECT, name="Given"))
        .with_workflow(Workflow(id=WORKFLOW, project_id=PROJECT, spec=spec(), etag="seen"))
        .with_resource(Execution(id=RUN, workflow_id=WORKFLOW))
        .with_resource(Extension(id=EXTENSION, project_id=PROJECT, name="word-count"))
    )
    workflow = (await source.call(GetWorkflowRequest(id=WORKFLOW))).message
    assert (workflow.user_id, workflow.etag) == (USER, "seen")
    assert workflow.status == WorkflowStatus.WORKFLOW_STATUS_CREATED
    assert workflow.estimated_cost.compute_units == 10
    run = (await source.call(GetExecutionRequest(id=RUN))).message
    assert [step.name for step in run.steps] == ["fetch"]
    assert (await source.call(making(name="New"))).message.project_id == PROJECT
    removing = RemoveProjectMemberRequest(project_id=PROJECT, user_id=USER)
    assert (await refused(source, removing)).reason == "LAST_OWNER"

    with pytest.raises(PreValidationFailed, match="id"):
        source.with_user(User(id="user-123"))
    with pytest.raises(TypeError, match="not a kind of resource"):
        source.with_resource(WorkflowSpec())


async def test_what_came_from_another_mock_never_has_its_id_or_etag_again() -> None:
    project = (await MockDataSource().call(CreateProjectRequest(name="There"))).message
    source = MockDataSource().with_resource(project)
    changed = await Projects(source).save(Project(id=project.id, name="Here"), paths=["name"])
    made = await Projects(source).save(Project(name="New"))
    assert changed.etag != project.etag
    assert made.id != project.id


async def test_an_error_is_raised_until_it_is_taken_back() -> None:
    source = MockDataSource().with_user(ADA)
    down, slow = NetworkError("down"), PreconditionFailed("slow")
    users, workflows = Users(source), Workflows(source)

    source.with_error(slow, GetWorkflowRequest, ListWorkflowsRequest)
    for _ in range(2):
        with pytest.raises(PreconditionFailed, match="slow"):
            await workflows.find_by_id(WORKFLOW)
    assert await users.find_by_id(USER) is not None

    source.with_error(down)
    with pytest.raises(NetworkError, match="down"):
        await source.acting_as(USER).call(WhoAmIRequest())
    with pytest.raises(NetworkError, match="down"):
        await told(source, 1)
    with pytest.raises(PreconditionFailed, match="slow"):
        await workflows.find_by_id(WORKFLOW)

    source.without_error()
    assert await workflows.find_by_id(WORKFLOW) is None


async def test_calls_are_the_requests_as_they_were_received() -> None:
    source = MockDataSource().with_user(ADA)
    request = CreateProjectRequest(name="Mine")
    await source.call(request)
    request.name = " "
    await refused(source.acting_as(USER), request)
    await told(source, 1)
    assert source.calls == (
        CreateProjectRequest(name="Mine"),
        CreateProjectRequest(name=" "),
        WatchRequest(),
    )


async def test_what_the_mock_does_not_know_names_what_does() -> None:
    source = MockDataSource()
    request = CheckAccessRequest(checks=[AccessCheck(permission="workflows.read")])
    with pytest.raises(OperationNotSupported, match=r"CheckAccessRequest .* local"):
        await source.call(request)
    with pytest.raises(TypeError, match=r"watch\(\)"):
        await source.call(WatchRequest())
    with pytest.raises(TypeError, match="not a request"):
        await source.call(Workflow())


async def test_the_same_request_id_gets_the_first_answer_and_another_request_a_conflict() -> None:
    source = MockDataSource().with_user(ADA).with_user(User(id=OTHER_USER))
    request = CreateProjectRequest(name="Mine", request_id="once")
    first = await source.call(request)
    await source.call(UpdateProjectRequest(project=Project(id=first.message.id, name="Renamed")))
    assert await source.call(request) == first
    for caller, other in (
        (source, CreateProjectRequest(name="Other", request_id="once")),
        (source.acting_as(OTHER_USER), request),
    ):
        error = await refused(caller, other)
        assert (type(error), error.reason) == (Conflict, "REQUEST_ID_REUSED")


async def test_validate_only_answers_and_keeps_nothing() -> None:
    source = MockDataSource().with_user(ADA).with_project(Project(id=PROJECT))
    before = await told(source, 1)
    asked = making(request_id="once", validate_only=True)
    answer = await source.call(asked)
    assert (answer.message.spec.name, answer.revision) == ("Build", None)
    assert await Workflows(source).find_by_id(answer.message.id) is None
    assert await told(source, 1) == before
    asked.validate_only = False
    assert (await source.call(asked)).message == answer.message


async def test_a_write_has_the_revision_of_its_last_change_and_a_read_none() -> None:
    source = MockDataSource().with_user(ADA)
    made = await source.call(CreateProjectRequest(name="Mine"))
    assert made.revision == 3  # the user, the project, its owner
    assert (await source.call(WhoAmIRequest())).revision is None


async def test_a_transaction_does_all_of_its_operations_at_one_moment() -> None:
    source = MockDataSource().with_user(ADA)
    request = together(
        CreateProjectRequest(project_id=PROJECT, name="New"),
        making(workflow_id=WORKFLOW),
        UpdateWorkflowRequest(workflow=Workflow(id=WORKFLOW, shared=True)),
        UpdateWorkflowRequest(workflow=Workflow(id=WORKFLOW, spec=spec("Renamed"))),
        DeleteWorkflowRequest(id=WORKFLOW),
        DeleteProjectRequest(id=PROJECT),
        request_id="all",
    )
    answer = await source.call(request)
    results = answer.message.results
    assert [result.WhichOneof("result") for result in results] == [
        *("project", "workflow", "workflow", "workflow", "empty", "empty"),
    ]
    assert len({result.workflow.etag for result in results[1:4]}) == 3
    assert answer.message.revision == answer.revision
    *changes, checkpoint = await told(source, 9, start_revision=1)
    assert {response.change.request_id for response in changes} == {"all"}
    assert checkpoint.checkpoint.revision == answer.revision


async def test_an_execution_notes_when_it_begins_and_ends() -> None:
    source = MockDataSource()
    await fill(source)
    report = Execution(id=RUN, state=RUNNING)
    running = (await source.call(UpdateExecutionRequest(execution=report))).message
    assert running.HasField("start_time")
    assert not running.HasField("end_time")
    report = Execution(id=RUN, state=FAILED, error="no disk")
    failed = (await source.call(UpdateExecutionRequest(execution=report))).message
    assert failed.start_time == running.start_time
    assert failed.end_time.ToMilliseconds() - failed.start_time.ToMilliseconds() == 1


async def test_a_manifest_is_read_in_both_formats_and_found_clean() -> None:
    source = MockDataSource()
    await fill(source)
    toml = """
        name = "from-toml"
        version = "1.0.0"
        type = "motif"
        publisher = "example"
        entry_point = "main.js"
    """
    made = (await source.call(installing(toml, manifest_format=TOML))).message
    assert (made.name, list(made.permissions)) == ("from-toml", [])
    assert made.scan.verdict == ScanVerdict.SCAN_VERDICT_PASSED
    change = Extension(id=EXTENSION, manifest=manifest(version="2.0.0", permissions=["a"]))
    upgraded = (await source.call(UpdateExtensionRequest(extension=change))).message
    assert (upgraded.version, list(upgraded.permissions)) == ("2.0.0", ["a"])
    assert upgraded.manifest_format == JSON


async def test_a_changed_spec_is_estimated_anew_unless_the_estimate_comes_along() -> None:
    source = MockDataSource()
    await fill(source)
    spec_alone = UpdateWorkflowRequest(workflow=Workflow(id=OTHER, spec=spec("Other")))
    spec_alone.workflow.spec.steps.add(name="test", command="make test", depends_on=["fetch"])
    changed = (await source.call(spec_alone)).message
    assert changed.estimated_cost.compute_units == 20
    assert changed.estimated_cost.estimated_duration.seconds == 10
    spec_alone.workflow.estimated_cost.estimated_duration.seconds = 60
    changed = (await source.call(spec_alone)).message
    assert changed.estimated_cost.estimated_duration.seconds == 60


async def test_a_watch_tells_every_change_in_order_and_where_it_has_got_to() -> None:
    source = MockDataSource().with_user(ADA)
    watch = source.watch(WatchRequest())
    assert (await anext(watch)).checkpoint.revision == 1

    async def next_ones(count: int) -> list[Any]:
        return [await anext(watch) for _ in range(count)]

    waiting = asyncio.create_task(next_ones(3))
    project = await Projects(source).save(Project(name="Mine"))
    made, owner, checkpoint = await waiting
    assert (made.change.project, made.change.revision) == (project, 2)
    assert owner.change.resource_id == f"{project.id}/{USER}"
    assert checkpoint.checkpoint.revision == 3

    await Projects(source).delete(project.id)
    *gone, checkpoint = await next_ones(3)
    assert {g.change.operation for g in gone} == {ChangeOperation.CHANGE_OPERATION_DELETED}
    assert not any(g.change.WhichOneof("resource") for g in gone)
    await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_of_some_kinds_or_projects_passes_over_the_others() -> None:
    source = MockDataSource()
    await fill(source)
    newest = (await told(source, 1))[0].checkpoint.revision
    runs = await told(source, 4, start_revision=1, kinds=[ResourceKind.RESOURCE_KIND_EXECUTION])
    assert [r.change.resource_id for r in runs[:3]] == [RUN, ENDED, ENDED]
    assert runs[3].checkpoint.revision == newest
    empty = await told(source, 3, start_revision=1, project_ids=[EMPTY])
    assert [r.change.resource_id.partition("/")[0] for r in empty[:2]] == [EMPTY, EMPTY]
    assert empty[2].checkpoint.revision == newest


async def test_dropped_watches_end_and_resume_where_they_were() -> None:
    source = MockDataSource().with_user(ADA)
    watch = source.watch(WatchRequest())
    known = (await anext(watch)).checkpoint.revision
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.wait([waiting], timeout=0)
    source.drop_watches()
    with pytest.raises(NetworkError, match="dropped"):
        await waiting
    await source.call(CreateProjectRequest(name="Meanwhile"))
    resumed = await told(source, 2, start_revision=known)
    assert [response.change.revision for response in resumed] == [known + 1, known + 2]


async def test_changes_that_are_forgotten_or_yet_to_come_cannot_be_watched_from() -> None:
    source = MockDataSource()
    await fill(source)
    newest = (await told(source, 1))[0].checkpoint.revision
    source.forget_changes()
    for revision in (newest - 1, newest + 1):
        with pytest.raises(Conflict) as caught:
            await told(source, 1, start_revision=revision)
        assert caught.value.reason == "REVISION_COMPACTED"
        assert caught.value.metadata == {"compact_revision": str(newest)}
    assert (await told(source, 1, start_revision=newest))[0].checkpoint.revision == newest


async def test_closing_ends_the_watches_and_leaves_what_was_received() -> None:
    source = MockDataSource().with_user(ADA)
    watch = source.watch(WatchRequest())
    await anext(watch)
    await source.close()
    await source.close()
    with pytest.raises(NetworkError):
        await anext(watch)
    assert source.calls == (WatchRequest(),)
    with pytest.raises(NotFound):
        await source.call(GetWorkflowRequest(id=WORKFLOW))
