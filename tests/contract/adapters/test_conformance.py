"""One suite for every adapter: what the contracts promise holds whichever of them answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import ListExecutionsRequest, StartExecutionRequest
from symphony.v1.extension_pb2 import Extension, ExtensionState, ManifestFormat
from symphony.v1.extension_service_pb2 import InstallExtensionRequest, ListExtensionsRequest
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier, User
from symphony.v1.user_service_pb2 import CreateUserRequest, ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus, WorkflowStep
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.data_access import DataAccess
from symphony_client.errors import (
    AlreadyExists,
    Conflict,
    DataError,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    ValidationFailed,
)
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import (
    ADAPTERS,
    CASES,
    caller,
    made_workflow,
    new_project,
    new_workflow,
)
from tests.engines import SQLITE
from tests.postgresql import Postgresql

PERSON = User(email="Ada@example.com", name="Ada", tier=Tier.TIER_PRO, roles=[Role.ROLE_DEVELOPER])


@pytest.fixture(params=CASES, ids="-".join)
async def data(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DataAccess]:
    adapter, engine = request.param
    with ExitStack() as held:
        if engine == SQLITE:
            url = f"sqlite:///{tmp_path / 'symphony.db'}"
        else:
            server: Postgresql = request.getfixturevalue("postgresql")
            url = held.enter_context(server.migrated())
        async with ADAPTERS[adapter](tmp_path, url) as opened:
            yield opened


def manifest(name: str = "word-count", version: str = "1.0.0", **other: Any) -> str:
    return json.dumps(
        {
            "name": name,
            "version": version,
            "type": "operator",
            "publisher": "example",
            "entry_point": "dist/main.js",
            "permissions": ["workflow.read"],
            "homepage": "https://example.com/word-count",
            **other,
        }
    )


def installing(project: Project, document: str) -> InstallExtensionRequest:
    return InstallExtensionRequest(
        project_id=project.id,
        manifest=document,
        manifest_format=ManifestFormat.MANIFEST_FORMAT_JSON,
    )


async def every(found: AsyncIterator[Any]) -> list[Any]:
    return [resource async for resource in found]


async def refused(call: Awaitable[object]) -> DataError:
    with pytest.raises(DataError) as caught:
        await call
    return caught.value


async def test_what_is_absent_is_none(data: DataAccess) -> None:
    assert await data.users.find_by_id(new_id("user")) is None
    assert await data.projects.find_by_id(new_id("project")) is None
    assert await data.workflows.find_by_id(new_id("workflow")) is None
    assert await data.extensions.find_by_id(new_id("extension")) is None
    assert await data.executions.find_by_id(new_id("execution")) is None
    assert await data.users.find_by_email("nobody@example.com") is None


async def test_what_is_made_is_found_at_once(data: DataAccess) -> None:
    user = await data.users.save(PERSON)
    project = await new_project(data)
    workflow = await made_workflow(data, project)
    extension = await data.extensions.install(installing(project, manifest()))
    execution = await data.executions.start(StartExecutionRequest(workflow_id=workflow.id))

    assert await data.users.find_by_id(user.id) == user
    assert await data.projects.find_by_id(project.id) == project
    assert await data.workflows.find_by_id(workflow.id) == workflow
    assert await data.extensions.find_by_id(extension.id) == extension
    assert await data.executions.find_by_id(execution.id) == execution
    assert [w.id for w in await every(data.workflows.find_by_criteria(ListWorkflowsRequest()))] == [
        workflow.id
    ]


async def test_the_seeds_one_step_workflow_costs_ten_units_and_five_seconds(
    data: DataAccess,
) -> None:
    workflow = await made_workflow(data, await new_project(data))
    assert workflow.estimated_cost.compute_units == 10
    assert workflow.estimated_cost.estimated_duration.ToTimedelta() == timedelta(seconds=5)
    assert workflow.status == WorkflowStatus.WORKFLOW_STATUS_CREATED


async def test_whoever_makes_something_owns_it(data: DataAccess) -> None:
    me = await caller(data)
    project = await new_project(data)
    workflow = await made_workflow(data, project)
    assert (project.owner_id, workflow.user_id, workflow.project_id) == (me.id, me.id, project.id)
    members = await every(
        data.projects.find_members(ListProjectMembersRequest(project_id=project.id))
    )
    assert [(m.user_id, m.role) for m in members] == [(me.id, ProjectRole.PROJECT_ROLE_OWNER)]


async def test_save_changes_every_field_of_what_was_read(data: DataAccess) -> None:
    project = await data.projects.save(Project(name="Old", description="kept until changed"))
    project.name = "New"
    project.ClearField("description")
    project.constraints.max_workflows = 7
    saved = await data.projects.save(project)

    assert (saved.name, saved.description, saved.constraints.max_workflows) == ("New", "", 7)
    assert saved.etag != project.etag
    assert await data.projects.find_by_id(project.id) == saved
    assert (await data.projects.get_project_constraints(project.id)).max_workflows == 7


async def test_save_with_paths_changes_those_alone(data: DataAccess) -> None:
    workflow = await made_workflow(data, await new_project(data))
    change = Workflow(id=workflow.id, shared=True, spec=WorkflowSpec(name="not this"))
    saved = await data.workflows.save(change, paths=["shared"])
    assert saved.shared
    assert saved.spec == workflow.spec
    error = await refused(data.workflows.save(change, paths=["colour"]))
    assert (type(error), error.reason) == (ValidationFailed, "UPDATE_MASK_INVALID")


async def test_a_stale_etag_is_a_conflict_and_changes_nothing(data: DataAccess) -> None:
    first = await new_project(data)
    second = await data.projects.save(Project(id=first.id, name="Second", etag=first.etag))
    first.name = "Third"
    for call in (data.projects.save(first), data.projects.delete(first.id, etag=first.etag)):
        error = await refused(call)
        assert (type(error), error.reason) == (Conflict, "ETAG_MISMATCH")
    assert await data.projects.find_by_id(first.id) == second


async def test_what_cannot_be_made_of_itself_names_what_makes_it(data: DataAccess) -> None:
    unmade: list[tuple[Callable[[], Awaitable[object]], str]] = [
        (lambda: data.workflows.save(Workflow()), "create_workflow()"),
        (lambda: data.extensions.save(Extension()), "install()"),
        (lambda: data.executions.save(Execution()), "start()"),
        (lambda: data.executions.delete(new_id("execution")), "cancel()"),
    ]
    for call, instead in unmade:
        with pytest.raises(OperationNotSupported) as caught:
            await call()
        assert instead in str(caught.value)


async def test_what_is_deleted_is_gone_and_gone_only_once(data: DataAccess) -> None:
    project = await new_project(data)
    workflow = await made_workflow(data, project)
    extension = await data.extensions.install(installing(project, manifest()))
    error = await refused(data.projects.delete(project.id))
    assert (type(error), error.reason) == (PreconditionFailed, "RESOURCE_IN_USE")

    await data.workflows.delete(workflow.id, etag=workflow.etag)
    await data.extensions.delete(extension.id)
    await data.projects.delete(project.id)

    assert await data.workflows.find_by_id(workflow.id) is None
    assert await data.extensions.find_by_id(extension.id) is None
    assert await data.projects.find_by_id(project.id) is None
    assert await every(data.projects.find_by_criteria(ListProjectsRequest())) == []
    error = await refused(data.workflows.delete(workflow.id))
    assert (type(error), error.reason) == (NotFound, "RESOURCE_NOT_FOUND")


async def test_criteria_page_by_themselves_in_every_order(data: DataAccess) -> None:
    project = await new_project(data)
    names = ["delta", "Alpha", "echo", "Bravo", "charlie"]
    made = [await made_workflow(data, project, name) for name in names]
    other = await made_workflow(data, await new_project(data, "Other"), "Alpha")

    async def listed(order_by: str) -> list[str]:
        criteria = ListWorkflowsRequest(project_id=project.id, order_by=order_by, page_size=2)
        return [w.spec.name for w in await every(data.workflows.find_by_criteria(criteria))]

    assert await listed("create_time") == names
    assert await listed("") == await listed("create_time desc") == names[::-1]
    assert await listed("name") == ["Alpha", "Bravo", "charlie", "delta", "echo"]
    assert other.id not in {w.id for w in made}


async def test_criteria_hold_together(data: DataAccess) -> None:
    project = await new_project(data)
    made = [await made_workflow(data, project, name) for name in ("Étude", "ETUDE 2", "étude 3")]
    await data.workflows.save(
        Workflow(id=made[2].id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED), paths=["status"]
    )

    async def found(**criteria: Any) -> list[str]:
        listing = ListWorkflowsRequest(project_id=project.id, order_by="create_time", **criteria)
        return [w.spec.name for w in await every(data.workflows.find_by_criteria(listing))]

    assert await found(name_prefix="étu") == ["Étude", "étude 3"]
    assert await found(name_prefix="ÉTU", status=WorkflowStatus.WORKFLOW_STATUS_CREATED) == [
        "Étude"
    ]
    assert await found(create_time_after=made[1].create_time) == ["ETUDE 2", "étude 3"]
    assert await found(create_time_before=made[1].create_time) == ["Étude"]
    assert await found(user_id=new_id("user")) == []


async def test_users_and_projects_are_found_by_what_the_contracts_name(data: DataAccess) -> None:
    me = await caller(data)
    ada = await data.users.save(PERSON)
    project = await new_project(data)
    workflow = await made_workflow(data, project)

    assert await data.users.find_by_email("ADA@example.com") == ada
    assert [p.id for p in await every(data.projects.find_by_owner(me.id))] == [project.id]
    assert await every(data.projects.find_by_owner(ada.id)) == []
    assert [w.id for w in await every(data.workflows.find_by_user(me.id))] == [workflow.id]
    assert await every(data.workflows.find_by_user(ada.id)) == []
    pro = await every(data.users.find_by_criteria(ListUsersRequest(tier=Tier.TIER_PRO)))
    assert pro == [ada]


async def test_capabilities_are_told_of_those_who_exist(data: DataAccess) -> None:
    ada = await data.users.save(PERSON)
    found = await data.users.get_user_capabilities(ada.id)
    assert (found.user_id, found.can_create_workflows) == (ada.id, True)
    error = await refused(data.users.get_user_capabilities(new_id("user")))
    assert (type(error), error.reason) == (NotFound, "RESOURCE_NOT_FOUND")


async def test_what_is_taken_is_told_by_its_reason(data: DataAccess) -> None:
    await data.users.save(PERSON)
    project = await new_project(data)
    workflow = await made_workflow(data, project, "Build")
    taken: dict[str, Callable[[], Awaitable[object]]] = {
        "EMAIL_TAKEN": lambda: data.users.save(PERSON),
        "DUPLICATE_NAME": lambda: made_workflow(data, project, "\uff22UILD"),
        "ID_TAKEN": lambda: made_workflow(data, project, "Other", workflow_id=workflow.id),
    }
    for reason, call in taken.items():
        error = await refused(call())
        assert (type(error), error.reason) == (AlreadyExists, reason)
    assert (await refused(made_workflow(data, project, "build"))).violations[0].field == "spec.name"


async def test_a_bad_request_names_each_field_and_rule(data: DataAccess) -> None:
    project = await new_project(data)
    spec = WorkflowSpec(name=" ", steps=[WorkflowStep(name="a")])
    error = await refused(data.workflows.create_workflow(new_workflow(project, spec=spec)))
    assert isinstance(error, ValidationFailed)
    assert error.reason == "FIELD_INVALID"
    assert {v.field: v.rule for v in error.violations} == {
        "spec.name": "string.pattern",
        "spec.steps[0].command": "string.min_len",
    }
    error = await refused(data.workflows.find_by_id(project.id))
    assert isinstance(error, ValidationFailed)
    assert error.violations[0].field == "id"
    error = await refused(
        every(data.workflows.find_by_criteria(ListWorkflowsRequest(page_size=-1)))
    )
    assert error.violations[0].field == "page_size"


async def test_a_repeated_request_has_one_effect_and_one_answer(data: DataAccess) -> None:
    project = await new_project(data)
    request = new_workflow(project, request_id="once")
    first = await data.workflows.create_workflow(request)
    assert await data.workflows.create_workflow(request) == first
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == [first]
    other = new_workflow(project, "Another", request_id="once")
    error = await refused(data.workflows.create_workflow(other))
    assert (type(error), error.reason) == (Conflict, "REQUEST_ID_REUSED")


async def test_validate_only_answers_and_keeps_nothing(data: DataAccess) -> None:
    project = await new_project(data)
    answer = await made_workflow(data, project, validate_only=True)
    assert answer.spec.name == "Build"
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []
    assert (await made_workflow(data, project)).spec.name == "Build"


async def test_a_transaction_does_all_in_order(data: DataAccess) -> None:
    project_id, workflow_id = new_id("project"), new_id("workflow")
    project = await new_project(data)
    request = ExecuteTransactionRequest(
        preconditions=[Precondition(resource_id=project.id, etag=project.etag)],
        operations=[
            TransactionOperation(
                create_project=CreateProjectRequest(project_id=project_id, name="Second")
            ),
            TransactionOperation(
                create_workflow=new_workflow(Project(id=project_id), workflow_id=workflow_id)
            ),
            TransactionOperation(delete_project=DeleteProjectRequest(id=project.id)),
        ],
    )
    response = await data.execute_transaction(request)
    assert [result.WhichOneof("result") for result in response.results] == [
        "project",
        "workflow",
        "empty",
    ]
    assert await data.workflows.find_by_id(workflow_id) == response.results[1].workflow
    assert await data.projects.find_by_id(project.id) is None


async def test_a_transaction_that_fails_anywhere_leaves_nothing(data: DataAccess) -> None:
    project = await new_project(data)
    request = ExecuteTransactionRequest(
        operations=[
            TransactionOperation(create_workflow=new_workflow(project, "One")),
            TransactionOperation(create_workflow=new_workflow(project, "one")),
        ]
    )
    error = await refused(data.execute_transaction(request))
    assert (type(error), error.reason) == (AlreadyExists, "DUPLICATE_NAME")
    assert error.violations[0].field == "operations[1].create_workflow.spec.name"
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []

    request.preconditions.add(resource_id=project.id, exists=False)
    del request.operations[1]
    error = await refused(data.execute_transaction(request))
    assert (type(error), error.reason) == (PreconditionFailed, "PRECONDITION_FAILED")
    assert await every(data.workflows.find_by_criteria(ListWorkflowsRequest())) == []


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
    made = await data.extensions.install(installing(project, manifest()))
    assert (made.name, made.version, made.publisher) == ("word-count", "1.0.0", "example")
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


async def test_one_who_acts_for_another_makes_what_is_theirs(data: DataAccess) -> None:
    ada = await data.users.save(PERSON)
    acting = data.acting_as(ada.id)
    project = await new_project(acting)
    assert project.owner_id == ada.id
    assert (await caller(acting)).id == ada.id
    assert (await caller(data)).id != ada.id
    assert await data.projects.find_by_id(project.id) == project


async def test_of_many_who_race_for_a_name_one_gets_it(data: DataAccess) -> None:
    project = await new_project(data)
    races = [made_workflow(data, project, "Wanted") for _ in range(20)]
    results = await asyncio.gather(*races, return_exceptions=True)
    won = [result for result in results if isinstance(result, Workflow)]
    lost = [result for result in results if isinstance(result, AlreadyExists)]
    assert (len(won), len(lost)) == (1, 19)


async def test_what_is_done_to_an_answer_stays_with_who_did_it(data: DataAccess) -> None:
    project = await new_project(data)
    for _ in range(2):
        found = await data.projects.find_by_id(project.id)
        assert found == project
        found.name = "mine alone"


async def test_own_writes_are_read_whatever_comes_before(data: DataAccess) -> None:
    project = await new_project(data)
    for number in range(20):
        saved = await data.projects.save(Project(id=project.id, name=f"{number}"), paths=["name"])
        assert await data.projects.find_by_id(project.id) == saved
        listed = await every(data.projects.find_by_criteria(ListProjectsRequest()))
        assert listed == [saved]


async def test_what_changes_can_be_watched(data: DataAccess) -> None:
    watch = data.source.watch(WatchRequest())
    first = await anext(watch)
    assert first.WhichOneof("event") == "checkpoint"
    project = await new_project(data)
    async for response in watch:
        change = response.change
        if change.resource_id == project.id:
            assert change.operation == ChangeOperation.CHANGE_OPERATION_CREATED
            assert change.project == project
            break
    await watch.aclose()  # type: ignore[attr-defined]


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


async def test_to_close_twice_is_no_error(data: DataAccess) -> None:
    await new_project(data)
    await data.close()
    await data.close()
