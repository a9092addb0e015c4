"""Deletes a workflow."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.refusal import Violation
from symphony_server.store.change_log import Standing
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import stale
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.workflows.get_workflow import permitted_workflow


def delete_workflow(transaction: Transaction, call: Call, request: DeleteWorkflowRequest) -> Empty:
    """Nothing; the workflow is gone with its executions, and counts no longer against limits."""
    judgement = call.judgement
    workflow = permitted_workflow(transaction, call, "workflows.delete", request.id, field="id")
    judgement.ask("etag", stale(request.etag, workflow.etag, field="etag"))
    judgement.ask("workflow.not_running", _running(transaction, workflow.id))
    judgement.conclude()

    standing = Standing(workflow.user_id, before=workflow.shared)
    of_run = standing._replace(parent_id=workflow.id)
    for execution_id in transaction.executions.delete_of_workflow(workflow.id):
        record_change(
            transaction,
            call,
            ResourceKind.RESOURCE_KIND_EXECUTION,
            ChangeOperation.CHANGE_OPERATION_DELETED,
            execution_id,
            project_id=workflow.project_id,
            standing=of_run,
        )
    transaction.extensions.set_uses(workflow.id, (), new=False)
    transaction.workflows.delete(workflow.id)
    transaction.users.add_workflows_owned(workflow.user_id, -1)
    transaction.projects.add_workflows(workflow.project_id, -1)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_WORKFLOW,
        ChangeOperation.CHANGE_OPERATION_DELETED,
        workflow.id,
        project_id=workflow.project_id,
        standing=standing,
    )
    return Empty()


def _running(transaction: Transaction, workflow_id: str) -> Violation | None:
    if not transaction.executions.any_unfinished(workflow_id):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_RESOURCE_IN_USE,
        "an execution of the workflow is PENDING or RUNNING; let it end or cancel it first",
        field="id",
        subject=workflow_id,
        metadata={"used_by": "executions"},
    )
