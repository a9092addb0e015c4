"""A mock has what it was given, and tells what it was asked."""

from __future__ import annotations

import pytest

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest, WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony.v1.extension_pb2 import Extension
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest, RemoveProjectMemberRequest
from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_client.accesses.projects import Projects
from symphony_client.accesses.users import Users
from symphony_client.accesses.workflows import Workflows
from symphony_client.adapters.mock import MockDataSource
from symphony_client.errors import (
    AuthorizationFailed,
    NetworkError,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    PreValidationFailed,
)
from tests.contract.adapters.small_world import (
    ADA,
    EXTENSION,
    NOBODY,
    OTHER_USER,
    PROJECT,
    RUN,
    USER,
    WORKFLOW,
    fill,
    making,
    refused,
    spec,
    told,
)


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
