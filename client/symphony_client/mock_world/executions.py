"""Runs of workflows: started, reported on, given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from symphony.v1.execution_pb2 import Execution, ExecutionState, ExecutionStep
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony_client.mock_world.checks import found, id_taken, stale
from symphony_client.mock_world.refusals import Wrong, refuse
from symphony_client.mock_world.world import Write
from symphony_client.resources.kinds import EXECUTION, WORKFLOW

_PENDING: Final = ExecutionState.EXECUTION_STATE_PENDING
_RUNNING: Final = ExecutionState.EXECUTION_STATE_RUNNING
_SUCCEEDED: Final = ExecutionState.EXECUTION_STATE_SUCCEEDED
_FAILED: Final = ExecutionState.EXECUTION_STATE_FAILED
_CANCELLED: Final = ExecutionState.EXECUTION_STATE_CANCELLED

FINAL: Final = frozenset({_SUCCEEDED, _FAILED, _CANCELLED})
"""The states in which a run has ended."""

_NEXT: Final[Mapping[int, frozenset[int]]] = {
    _PENDING: frozenset({_PENDING, _RUNNING, _CANCELLED}),
    _RUNNING: frozenset({_RUNNING, *FINAL}),
}
"""What may follow in a run; what has ended stays as it is."""


def start_execution(write: Write, request: StartExecutionRequest) -> Execution:
    """The new execution: PENDING, as every step of it."""
    workflow = found(write.world, WORKFLOW, request.workflow_id, field="workflow_id")
    refuse(_archived(workflow))
    refuse(id_taken(write.world, EXECUTION, request.execution_id, field="execution_id"))
    execution = Execution(
        id=request.execution_id or write.new_id(EXECUTION),
        workflow_id=workflow.id,
        user_id=write.user_id,
        state=_PENDING,
        steps=[ExecutionStep(name=step.name, state=_PENDING) for step in workflow.spec.steps],
    )
    created: Execution = write.create(EXECUTION, execution)
    return created


def settle_execution(
    write: Write, current: Any, updated: Any, _paths: Sequence[str]
) -> Wrong | None:
    """Refuse a state that cannot follow; note when a run begins and ends."""
    refuse(_cannot_follow(current.state, updated.state, field="execution.state"))
    if updated.state == _RUNNING != current.state:
        updated.start_time.FromMicroseconds(write.time_us)
    if updated.state in FINAL:
        updated.end_time.FromMicroseconds(write.time_us)
    return None


def cancel_execution(write: Write, request: CancelExecutionRequest) -> Execution:
    """The execution, CANCELLED with every step that has not ended."""
    execution = found(write.world, EXECUTION, request.id)
    refuse(_cannot_follow(execution.state, _CANCELLED, field="id"))
    refuse(stale(request.etag, execution.etag, field="etag"))
    execution.state = _CANCELLED
    for step in execution.steps:
        if step.state not in FINAL:
            step.state = _CANCELLED
    execution.end_time.FromMicroseconds(write.time_us)
    cancelled: Execution = write.update(EXECUTION, execution)
    return cancelled


def _cannot_follow(before: int, after: int, *, field: str) -> Wrong | None:
    if after in _NEXT.get(before, ()):
        return None
    return _transition(
        f"the execution is {_name(before)} and cannot become {_name(after)}",
        field=field,
        before=_name(before),
        after=_name(after),
    )


def _archived(workflow: Workflow) -> Wrong | None:
    if workflow.status != WorkflowStatus.WORKFLOW_STATUS_ARCHIVED:
        return None
    return _transition(
        "the workflow is ARCHIVED; make it CREATED again to run it",
        field="workflow_id",
        before="ARCHIVED",
        after="PENDING",
        subject=workflow.id,
    )


def _transition(said: str, *, field: str, before: str, after: str, subject: str = "") -> Wrong:
    return Wrong(
        reason="STATE_TRANSITION_INVALID",
        description=said,
        field=field,
        subject=subject,
        metadata={"from": before, "to": after},
    )


def _name(state: int) -> str:
    names = (name for name, number in ExecutionState.items() if number == state)
    return next(names).removeprefix("EXECUTION_STATE_")
