"""A mock does with a write what the server would."""

from __future__ import annotations

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import UpdateExecutionRequest
from symphony.v1.extension_pb2 import Extension, ScanVerdict
from symphony.v1.extension_service_pb2 import UpdateExtensionRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import (
    CreateProjectRequest,
    DeleteProjectRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_pb2 import User
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest
from symphony_client.accesses.workflows import Workflows
from symphony_client.adapters.mock import MockDataSource
from symphony_client.errors import Conflict
from tests.contract.adapters.small_world import (
    ADA,
    EXTENSION,
    FAILED,
    JSON,
    OTHER,
    OTHER_USER,
    PROJECT,
    RUN,
    RUNNING,
    TOML,
    WORKFLOW,
    fill,
    installing,
    making,
    refused,
    spec,
    together,
    told,
)
from tests.server.extension_requests import manifest


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
