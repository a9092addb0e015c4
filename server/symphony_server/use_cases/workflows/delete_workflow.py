"""Deletes a workflow."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import stale
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.workflows.get_workflow import permitted_workflow


def delete_workflow(transaction: Transaction, call: Call, request: DeleteWorkflowRequest) -> Empty:
    """Nothing; the workflow is gone, and counts no longer against its owner and project."""
    judgement = call.judgement
    workflow = permitted_workflow(transaction, call, "workflows.delete", request.id, field="id")
    judgement.ask("etag", stale(request.etag, workflow.etag, field="etag"))
    judgement.conclude()

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
    )
    return Empty()
