"""Reports how an execution goes."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import UpdateExecutionRequest
from symphony_server.clock import set_timestamp
from symphony_server.rules.execution_states import (
    FINAL,
    RUNNING,
    error_without_failure,
    run_transition,
    step_transitions,
)
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_change_time, stale
from symphony_server.use_cases.executions.get_execution import permitted_execution
from symphony_server.use_cases.executions.recording import record_execution_change
from symphony_server.use_cases.update_masks import apply_update


def update_execution(
    transaction: Transaction, call: Call, request: UpdateExecutionRequest
) -> Execution:
    """The execution as reported; its start and end are noted as it begins and ends."""
    judgement = call.judgement
    asked = request.execution
    current, workflow = permitted_execution(
        transaction, call, "executions.update", asked.id, field="execution.id"
    )
    updated: Execution = apply_update(current, asked, call.update_paths)

    judgement.ask(
        "execution.transition",
        run_transition(current.state, updated.state, field="execution.state"),
    )
    if "steps" in call.update_paths:
        judgement.ask_all(
            "execution.step_transitions",
            step_transitions(current.steps, updated.steps, field="execution.steps"),
        )
    judgement.ask(
        "execution.error_if_failed",
        error_without_failure(updated.error, updated.state, field="execution.error"),
    )
    judgement.end_stage()
    judgement.ask("etag", stale(asked.etag, current.etag, field="execution.etag"))
    judgement.conclude()

    time_us = next_change_time(transaction.time_us, current.etag)
    if updated.state == RUNNING and current.state != RUNNING:
        set_timestamp(updated.start_time, time_us)
    if updated.state in FINAL:
        set_timestamp(updated.end_time, time_us)
    updated.etag = f"{time_us:x}"
    transaction.executions.update(updated, time_us=time_us)
    record_execution_change(
        transaction,
        call,
        updated,
        workflow,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
    )
    return updated
