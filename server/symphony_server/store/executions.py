"""Executions: rows ↔ messages, and the statements on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony_server.clock import set_timestamp, timestamp_us
from symphony_server.store import tables
from symphony_server.store.statements import Compiler, param

T = tables.Execution
COLUMNS = (
    T.id,
    T.workflow_id,
    T.user_id,
    T.state,
    T.steps,
    T.error,
    T.create_time,
    T.update_time,
    T.start_time,
    T.end_time,
)
UNFINISHED = (ExecutionState.EXECUTION_STATE_PENDING, ExecutionState.EXECUTION_STATE_RUNNING)


def execution_message(row: Sequence[Any]) -> Execution:
    """The message of a row with `COLUMNS`; a time of 0 has not come yet and is not set."""
    (
        execution_id,
        workflow_id,
        user_id,
        state,
        steps,
        error,
        create_time,
        update_time,
        start_time,
        end_time,
    ) = row
    execution = Execution.FromString(steps)  # a message with nothing but the steps
    execution.id = execution_id
    execution.workflow_id = workflow_id
    execution.user_id = user_id
    execution.state = state
    execution.error = error
    execution.etag = f"{update_time:x}"
    set_timestamp(execution.create_time, create_time)
    if start_time:
        set_timestamp(execution.start_time, start_time)
    if end_time:
        set_timestamp(execution.end_time, end_time)
    return execution


class Executions:
    """The executions of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._get = compiled(T.select(*COLUMNS).where(T.id == param("id")), "id")
        self._insert = compiled.insert(T)
        self._update = compiled.update(
            T,
            (T.state, T.steps, T.error, T.update_time, T.start_time, T.end_time),
            T.id == param("id"),
            "id",
        )
        self._unfinished = compiled(
            T.select(T.id)
            .where((T.workflow_id == param("workflow")) & T.state.in_(UNFINISHED))
            .limit(1),
            "workflow",
        )
        self._of_workflow = compiled(
            T.select(T.id).where(T.workflow_id == param("workflow")), "workflow"
        )
        self._delete = compiled.delete(T, T.id == param("id"), "id")

    def get(self, execution_id: str) -> Execution | None:
        """The execution with an id, or None."""
        row = self._get(execution_id).fetchone()
        return None if row is None else execution_message(row)

    def insert(self, execution: Execution, *, project_id: str, time_us: int) -> None:
        """Add an execution that has not begun."""
        self._insert(
            execution.id,
            execution.workflow_id,
            project_id,
            execution.user_id,
            execution.state,
            _steps(execution),
            execution.error,
            time_us,
            time_us,
            0,
            0,
        )

    def update(self, execution: Execution, *, time_us: int) -> None:
        """Replace everything of an execution but what it is a run of, and by whom."""
        self._update(
            execution.state,
            _steps(execution),
            execution.error,
            time_us,
            timestamp_us(execution.start_time),
            timestamp_us(execution.end_time),
            execution.id,
        )

    def any_unfinished(self, workflow_id: str) -> bool:
        """True when a run of the workflow is PENDING or RUNNING."""
        return self._unfinished(workflow_id).fetchone() is not None

    def delete_of_workflow(self, workflow_id: str) -> list[str]:
        """Remove every run of a workflow; returns their ids."""
        ids = [str(row[0]) for row in self._of_workflow(workflow_id).fetchall()]
        for execution_id in ids:
            self._delete(execution_id)
        return ids


def _steps(execution: Execution) -> bytes:
    return Execution(steps=execution.steps).SerializeToString()
