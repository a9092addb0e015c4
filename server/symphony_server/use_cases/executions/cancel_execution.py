"""Gives up an execution."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import CancelExecutionRequest
from symphony_server.clock import set_timestamp
from symphony_server.rules.execution_states import CANCELLED, FINAL, run_transition
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_change_time, stale
from symphony_server.use_cases.executions.get_execution import permitted_execution
from symphony_server.use_cases.executions.recording import record_execution_change


def cancel_execution(
    transaction: Transaction, call: Call, request: CancelExecutionRequest
) -> Execution:
    """The execution, CANCELLED with every step that has not ended."""
    judgement = call.judgement
    current, workflow = permitted_execution(
        transaction, call, "executions.cancel", request.id, field="id"
    )
    judgement.ask("execution.transition", run_transition(current.state, CANCELLED, field="id"))
    judgement.end_stage()
    judgement.ask("etag", stale(request.etag, current.etag, field="etag"))
    judgement.conclude()

    time_us = next_change_time(transaction.time_us, current.etag)
    cancelled = Execution()
    cancelled.CopyFrom(current)
    cancelled.state = CANCELLED
    for step in cancelled.steps:
        if step.state not in FINAL:
            step.state = CANCELLED
    set_timestamp(cancelled.end_time, time_us)
    cancelled.etag = f"{time_us:x}"
    transaction.executions.update(cancelled, time_us=time_us)
    record_execution_change(
        transaction,
        call,
        cancelled,
        workflow,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
    )
    return cancelled
