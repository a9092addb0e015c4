"""The change record of an execution."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.execution_pb2 import Execution
from symphony.v1.workflow_pb2 import Workflow
from symphony_server.store.change_log import Standing
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.recording import record_change


def record_execution_change(
    transaction: Transaction,
    call: Call,
    execution: Execution,
    workflow: Workflow,
    operation: ChangeOperation.ValueType,
) -> None:
    """Record that an execution of a workflow was started or changed."""
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_EXECUTION,
        operation,
        execution.id,
        project_id=workflow.project_id,
        resource=execution,
        standing=Standing(workflow.user_id, workflow.shared, workflow.shared, workflow.id),
    )
