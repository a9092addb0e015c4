from __future__ import annotations

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.execution_pb2 import Execution, ExecutionState, ExecutionStep
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest
from tests.server.world import Person, Refusal, World, spec, step

PENDING = ExecutionState.EXECUTION_STATE_PENDING
RUNNING = ExecutionState.EXECUTION_STATE_RUNNING
SUCCEEDED = ExecutionState.EXECUTION_STATE_SUCCEEDED
FAILED = ExecutionState.EXECUTION_STATE_FAILED
CANCELLED = ExecutionState.EXECUTION_STATE_CANCELLED
COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR


def start(person: Person, workflow: Workflow) -> Execution:
    made: Execution = person.get(
        person.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    return made


def report(execution_id: str, **fields: object) -> UpdateExecutionRequest:
    return UpdateExecutionRequest(execution=Execution(id=execution_id, **fields))  # type: ignore[arg-type]


def go_to(person: Person, execution: Execution, *states: ExecutionState.ValueType) -> Execution:
    for state in states:
        execution = person.get(person.executions.UpdateExecution, report(execution.id, state=state))
    return execution


def test_a_run_begins_pending_with_every_step(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(
        owner, world.project(owner), spec=spec("W", step("a"), step("b", "a"))
    )
    execution = start(owner, workflow)
    assert (execution.workflow_id, execution.user_id) == (workflow.id, owner.id)
    assert execution.state == PENDING
    assert [(s.name, s.state) for s in execution.steps] == [("a", PENDING), ("b", PENDING)]
    assert not execution.HasField("start_time")
    got = owner.get(owner.executions.GetExecution, GetExecutionRequest(id=execution.id))
    assert got == execution


def test_a_run_notes_when_it_begins_and_ends(world: World) -> None:
    owner = world.user()
    execution = start(owner, world.workflow(owner, world.project(owner)))
    running = go_to(owner, execution, RUNNING)
    ended = go_to(owner, running, SUCCEEDED)
    assert running.HasField("start_time")
    assert not running.HasField("end_time")
    assert ended.start_time == running.start_time
    assert ended.HasField("end_time")


@pytest.mark.parametrize(
    ("path", "then", "allowed"),
    [
        ((), RUNNING, True),
        ((), CANCELLED, True),
        ((), SUCCEEDED, False),
        ((), FAILED, False),
        ((RUNNING,), SUCCEEDED, True),
        ((RUNNING,), FAILED, True),
        ((RUNNING,), CANCELLED, True),
        ((RUNNING,), PENDING, False),
        ((RUNNING, SUCCEEDED), RUNNING, False),
        ((RUNNING, SUCCEEDED), SUCCEEDED, False),
        ((RUNNING, FAILED), CANCELLED, False),
        ((CANCELLED,), RUNNING, False),
    ],
)
def test_a_run_goes_only_where_its_state_allows(
    world: World,
    path: tuple[ExecutionState.ValueType, ...],
    then: ExecutionState.ValueType,
    allowed: bool,
) -> None:
    owner = world.user()
    execution = go_to(owner, start(owner, world.workflow(owner, world.project(owner))), *path)
    request = report(execution.id, state=then)
    if allowed:
        assert owner.get(owner.executions.UpdateExecution, request).state == then
    else:
        refusal = owner.refused(owner.executions.UpdateExecution, request)
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "STATE_TRANSITION_INVALID",
        )
        assert refusal.metadata["to"] == ExecutionState.Name(then).removeprefix("EXECUTION_STATE_")


def test_steps_are_reported_whole_and_only_forward(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(
        owner, world.project(owner), spec=spec("W", step("a"), step("b", "a"))
    )
    execution = go_to(owner, start(owner, workflow), RUNNING)

    def steps(**states: ExecutionState.ValueType) -> UpdateExecutionRequest:
        return report(
            execution.id,
            steps=[ExecutionStep(name=name, state=state) for name, state in states.items()],
        )

    def refused(request: UpdateExecutionRequest) -> Refusal:
        return owner.refused(owner.executions.UpdateExecution, request)

    done = owner.get(owner.executions.UpdateExecution, steps(a=SUCCEEDED, b=RUNNING))
    assert [s.state for s in done.steps] == [SUCCEEDED, RUNNING]
    assert refused(steps(a=RUNNING, b=RUNNING)).reason == "STATE_TRANSITION_INVALID"
    assert '"b" is missing' in refused(steps(a=SUCCEEDED)).message
    assert "not a step" in refused(steps(a=SUCCEEDED, b=RUNNING, c=PENDING)).message


def test_an_error_belongs_to_a_failed_run(world: World) -> None:
    owner = world.user()
    execution = go_to(owner, start(owner, world.workflow(owner, world.project(owner))), RUNNING)
    early = owner.refused(
        owner.executions.UpdateExecution, report(execution.id, error="out of memory")
    )
    failed = owner.get(
        owner.executions.UpdateExecution, report(execution.id, state=FAILED, error="out of memory")
    )
    assert early.fields == {"execution.error": "FIELD_INVALID"}
    assert (failed.state, failed.error) == (FAILED, "out of memory")


def test_a_cancelled_run_takes_its_open_steps_with_it(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner), spec=spec("W", step("a"), step("b")))
    execution = go_to(owner, start(owner, workflow), RUNNING)
    owner.get(
        owner.executions.UpdateExecution,
        report(
            execution.id,
            steps=[
                ExecutionStep(name="a", state=SUCCEEDED),
                ExecutionStep(name="b", state=RUNNING),
            ],
        ),
    )
    cancel = CancelExecutionRequest(id=execution.id)
    cancelled = owner.get(owner.executions.CancelExecution, cancel)
    assert [s.state for s in cancelled.steps] == [SUCCEEDED, CANCELLED]
    again = owner.refused(owner.executions.CancelExecution, cancel)
    assert again.reason == "STATE_TRANSITION_INVALID"


def test_who_runs_a_workflow_depends_on_whether_it_is_shared(world: World) -> None:
    owner, collaborator, viewer = world.user(), world.user(), world.user()
    project = world.project(owner)
    world.join(project, collaborator, COLLABORATOR)
    world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
    private, shared = world.workflow(owner, project), world.workflow(owner, project, shared=True)
    run_shared = StartExecutionRequest(workflow_id=shared.id)
    run_private = StartExecutionRequest(workflow_id=private.id)

    started = start(collaborator, shared)
    assert started.user_id == collaborator.id
    refusal = viewer.refused(viewer.executions.StartExecution, run_shared)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "RESOURCE_ACCESS_REQUIRED",
    )
    hidden = collaborator.refused(collaborator.executions.StartExecution, run_private)
    assert hidden.code == grpc.StatusCode.NOT_FOUND
    # The viewer follows the run and may not change it; the starter and the owner may.
    got = viewer.get(viewer.executions.GetExecution, GetExecutionRequest(id=started.id))
    assert got == started
    refusal = viewer.refused(viewer.executions.UpdateExecution, report(started.id, state=RUNNING))
    assert refusal.reason == "OWNER_REQUIRED"
    assert go_to(collaborator, started, RUNNING).state == RUNNING
    assert go_to(owner, started, SUCCEEDED).state == SUCCEEDED


def test_an_archived_workflow_is_not_run(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    archive = Workflow(id=workflow.id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED)
    owner.get(owner.workflows.UpdateWorkflow, UpdateWorkflowRequest(workflow=archive))
    refusal = owner.refused(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    assert refusal.reason == "STATE_TRANSITION_INVALID"
    assert refusal.metadata["from"] == "ARCHIVED"


def test_a_workflow_that_runs_is_not_deleted_and_takes_its_runs_with_it(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    execution = start(owner, workflow)
    delete = DeleteWorkflowRequest(id=workflow.id)
    refusal = owner.refused(owner.workflows.DeleteWorkflow, delete)
    go_to(owner, execution, CANCELLED)
    owner.get(owner.workflows.DeleteWorkflow, delete)
    assert refusal.reason == "RESOURCE_IN_USE"
    gone = owner.refused(owner.executions.GetExecution, GetExecutionRequest(id=execution.id))
    assert gone.code == grpc.StatusCode.NOT_FOUND


def test_a_list_of_runs_filters_and_leaves_out_what_is_hidden(world: World) -> None:
    owner, other, auditor = world.user(), world.user(), world.user(Role.ROLE_AUDITOR)
    project = world.project(owner)
    one, two = world.workflow(owner, project), world.workflow(owner, project)
    first, second = start(owner, one), go_to(owner, start(owner, two), RUNNING)

    def ids(person: Person, **query: object) -> list[str]:
        request = ListExecutionsRequest(**query)  # type: ignore[arg-type]
        answer = person.get(person.executions.ListExecutions, request)
        return [execution.id for execution in answer.executions]

    assert ids(owner) == ids(auditor) == [second.id, first.id]
    assert ids(other) == []
    assert ids(owner, workflow_id=one.id) == [first.id]
    assert ids(owner, state=RUNNING) == [second.id]
    assert ids(owner, user_id=other.id) == []


def test_a_stale_etag_stops_a_report_and_a_cancellation(world: World) -> None:
    owner = world.user()
    execution = start(owner, world.workflow(owner, world.project(owner)))
    go_to(owner, execution, RUNNING)
    late = UpdateExecutionRequest(
        execution=Execution(id=execution.id, etag=execution.etag, state=FAILED),
        update_mask=FieldMask(paths=["state"]),
    )
    cancel = CancelExecutionRequest(id=execution.id, etag=execution.etag)
    assert owner.refused(owner.executions.UpdateExecution, late).reason == "ETAG_MISMATCH"
    assert owner.refused(owner.executions.CancelExecution, cancel).reason == "ETAG_MISMATCH"
