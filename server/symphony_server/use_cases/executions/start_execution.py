"""Starts an execution of a workflow."""

from __future__ import annotations

from dataclasses import replace

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.execution_pb2 import Execution, ExecutionStep
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.refusal import Violation
from symphony_server.rules import project_constraints
from symphony_server.rules.execution_states import PENDING
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.executions.recording import record_execution_change
from symphony_server.use_cases.taken import id_taken
from symphony_server.use_cases.workflows.get_workflow import permitted_workflow


def start_execution(
    transaction: Transaction, call: Call, request: StartExecutionRequest
) -> Execution:
    """The new execution: PENDING, as every step of it."""
    judgement = call.judgement
    workflow = permitted_workflow(
        transaction, call, "executions.start", request.workflow_id, field="workflow_id"
    )
    execution_id = call.resource_id = request.execution_id or new_id("execution")

    judgement.ask("workflow.not_archived", _archived(workflow))
    used = project_constraints.used_extension_ids(workflow.spec)
    enabled = transaction.extensions.enabled(workflow.project_id, used)
    lacking = project_constraints.extensions(ProjectConstraints(), workflow.spec, enabled)
    judgement.ask_all(
        "workflow.extensions_enabled",
        [replace(violation, field="workflow_id") for violation in lacking],
    )
    judgement.end_stage()

    if request.execution_id:
        taken = transaction.executions.get(execution_id) is not None
        judgement.ask_if_permitted("execution.id_free", id_taken("execution_id") if taken else None)
    judgement.conclude()

    execution = Execution(
        id=execution_id,
        workflow_id=workflow.id,
        user_id=call.caller.user.id,
        state=PENDING,
        steps=[ExecutionStep(name=step.name, state=PENDING) for step in workflow.spec.steps],
        etag=f"{transaction.time_us:x}",
    )
    set_timestamp(execution.create_time, transaction.time_us)
    transaction.executions.insert(
        execution, project_id=workflow.project_id, time_us=transaction.time_us
    )
    record_execution_change(
        transaction,
        call,
        execution,
        workflow,
        ChangeOperation.CHANGE_OPERATION_CREATED,
    )
    return execution


def _archived(workflow: Workflow) -> Violation | None:
    if workflow.status != WorkflowStatus.WORKFLOW_STATUS_ARCHIVED:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_STATE_TRANSITION_INVALID,
        "the workflow is ARCHIVED; make it CREATED again with UpdateWorkflow to run it",
        field="workflow_id",
        subject=workflow.id,
        metadata={"from": "ARCHIVED", "to": "PENDING"},
    )
