"""One suite for every adapter, in the files test_conformance*.py: what the contracts promise holds
whichever of them answers. Here: what is made, saved and deleted, and who sees it when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_pb2 import Extension
from symphony.v1.project_pb2 import Project, ProjectRole
from symphony.v1.project_service_pb2 import ListProjectMembersRequest, ListProjectsRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.data_access import DataAccess
from symphony_client.errors import (
    AlreadyExists,
    Conflict,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    ValidationFailed,
)
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import caller, made_workflow, new_project
from tests.contract.adapters.conformance import PERSON, every, installing, refused
from tests.server.extension_requests import manifest


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


async def test_one_who_acts_for_another_makes_what_is_theirs(data: DataAccess) -> None:
    ada = await data.users.save(PERSON)
    acting = data.acting_as(ada.id)
    project = await new_project(acting)
    assert project.owner_id == ada.id
    assert (await caller(acting)).id == ada.id
    assert (await caller(data)).id != ada.id
    # A hybrid one waits for its own writes only, and with the last of them for all before it.
    await new_project(data)
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


async def test_to_close_twice_is_no_error(data: DataAccess) -> None:
    await new_project(data)
    await data.close()
    await data.close()
