"""Each use case makes the one call that it says, or none when what it is given is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_pb2 import ManifestFormat
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest, UpdateProjectRequest
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import (
    AlreadyExists,
    Conflict,
    DataAccess,
    NotFound,
    PreValidationFailed,
    new_id,
)
from symphony_client.adapters.mock import MockDataSource
from symphony_client.use_cases import (
    CreateWorkflowUseCase,
    ExecuteWorkflowUseCase,
    InstallExtensionUseCase,
    RegisterUserUseCase,
    SaveProjectUseCase,
)
from tests.server.extension_requests import manifest

ADA = CreateUserRequest(name="Ada", email="ada@example.com")
SPEC = WorkflowSpec(name="Build", steps=[WorkflowStep(name="fetch", command="git pull")])


@pytest.fixture
def mock() -> MockDataSource:
    return MockDataSource()


@pytest.fixture
async def data(mock: MockDataSource) -> AsyncIterator[DataAccess]:
    async with DataAccess(mock) as made:
        yield made


async def test_a_user_is_registered_once(data: DataAccess, mock: MockDataSource) -> None:
    register = RegisterUserUseCase(data.users)
    user = await register.execute(ADA)
    assert (user.name, user.email) == ("Ada", "ada@example.com")
    with pytest.raises(AlreadyExists):
        await register.execute(ADA)
    assert mock.calls == (ADA, ADA)


async def test_a_user_who_is_wrong_as_they_stand_costs_no_call(
    data: DataAccess, mock: MockDataSource
) -> None:
    with pytest.raises(PreValidationFailed) as caught:
        await RegisterUserUseCase(data.users).execute(CreateUserRequest(name="Ada", email="ada"))
    assert [violation.field for violation in caught.value.violations] == ["email"]
    assert mock.calls == ()


async def test_a_project_is_made_when_it_is_new_and_changed_when_it_is_not(
    data: DataAccess, mock: MockDataSource
) -> None:
    save = SaveProjectUseCase(data.projects)
    made = await save.execute(Project(name="First"), request_id="one")
    other = Project()
    other.CopyFrom(made)
    made.name = "Second"
    changed = await save.execute(made, request_id="two")
    assert (changed.id, changed.name) == (other.id, "Second")
    other.name = "Third"
    with pytest.raises(Conflict):
        await save.execute(other)
    assert [type(call) for call in mock.calls] == [
        CreateProjectRequest,
        UpdateProjectRequest,
        UpdateProjectRequest,
    ]
    assert [call.request_id for call in mock.calls[:2]] == ["one", "two"]


async def test_a_workflow_is_run_that_was_made_by_an_id_of_ones_own(
    data: DataAccess, mock: MockDataSource
) -> None:
    project = await data.projects.save(Project(name="Project"))
    workflow_id = new_id("workflow")
    request = CreateWorkflowRequest(project_id=project.id, workflow_id=workflow_id, spec=SPEC)
    workflow = await CreateWorkflowUseCase(data.workflows).execute(request)
    assert workflow.id == workflow_id
    run = await ExecuteWorkflowUseCase(data.executions).execute(workflow_id, request_id="go")
    assert run.state == ExecutionState.EXECUTION_STATE_PENDING
    assert [step.name for step in run.steps] == ["fetch"]
    assert mock.calls[-1] == StartExecutionRequest(workflow_id=workflow_id, request_id="go")
    with pytest.raises(NotFound):
        await ExecuteWorkflowUseCase(data.executions).execute(new_id("workflow"))


async def test_an_extension_is_installed_from_its_file(
    data: DataAccess, mock: MockDataSource, tmp_path: Path
) -> None:
    project = await data.projects.save(Project(name="Project"))
    file = tmp_path / "manifest.json"
    file.write_text(manifest())
    install = InstallExtensionUseCase(data.extensions)
    extension = await install.execute(project.id, file, request_id="one")
    assert extension.project_id == project.id
    assert mock.calls[-1] == InstallExtensionRequest(
        project_id=project.id,
        manifest=manifest(),
        manifest_format=ManifestFormat.MANIFEST_FORMAT_JSON,
        request_id="one",
    )
    before = mock.calls
    with pytest.raises(PreValidationFailed):
        await install.execute(project.id, tmp_path / "absent.json")
    assert mock.calls == before
