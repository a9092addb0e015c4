"""Workflows: rows ↔ messages, and the statements on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphony.v1.workflow_pb2 import Workflow
from symphony_server.clock import MICROSECONDS
from symphony_server.store import tables
from symphony_server.store.relations import WithRelation
from symphony_server.store.stamps import stamp
from symphony_server.store.statements import Compiler, param

T = tables.Workflow
COLUMNS = (
    T.id,
    T.project_id,
    T.user_id,
    T.spec,
    T.compute_units,
    T.estimated_duration,
    T.shared,
    T.status,
    T.create_time,
    T.update_time,
)


def workflow_message(row: Sequence[Any]) -> Workflow:
    """The message of a row with `COLUMNS`."""
    (
        workflow_id,
        project_id,
        user_id,
        spec,
        compute_units,
        duration,
        shared,
        status,
        create_time,
        update_time,
    ) = row
    workflow = Workflow(
        id=workflow_id,
        project_id=project_id,
        user_id=user_id,
        shared=bool(shared),
        status=status,
    )
    workflow.spec.ParseFromString(spec)
    cost = workflow.estimated_cost
    cost.compute_units = compute_units
    seconds, microseconds = divmod(duration, MICROSECONDS)
    cost.estimated_duration.seconds = seconds
    cost.estimated_duration.nanos = microseconds * 1000
    stamp(workflow, create_time_us=create_time, update_time_us=update_time)
    return workflow


class Workflows:
    """The workflows of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._read = WithRelation(
            compiled, COLUMNS, workflow_message, resource_id=T.id, project_id=T.project_id
        )
        self._exists = compiled(T.select(T.id).where(T.id == param("id")), "id")
        self._named = compiled(
            T.select(T.id).where(
                (T.project_id == param("project")) & (T.name_key == param("name"))
            ),
            "project",
            "name",
        )
        self._insert = compiled.insert(T)
        self._update = compiled.update(
            T,
            (
                T.name_key,
                T.spec,
                T.compute_units,
                T.estimated_duration,
                T.shared,
                T.status,
                T.update_time,
            ),
            T.id == param("id"),
            "id",
        )
        self._delete = compiled.delete(T, T.id == param("id"), "id")

    def get(self, workflow_id: str, user_id: str) -> tuple[Workflow | None, int]:
        """A workflow, or None, and the user's relation to its project (0 for none)."""
        return self._read.get(workflow_id, user_id)

    def exists(self, workflow_id: str) -> bool:
        """True when a workflow has the id."""
        return self._exists(workflow_id).fetchone() is not None

    def id_of_name(self, project_id: str, name_key: str) -> str | None:
        """The id of the workflow that has the name in the project, or None."""
        row = self._named(project_id, name_key).fetchone()
        return None if row is None else str(row[0])

    def insert(self, workflow: Workflow, *, name_key: str, duration_us: int, time_us: int) -> None:
        """Add a workflow; the counts of its owner and project are the caller's to keep."""
        self._insert(
            workflow.id,
            workflow.project_id,
            workflow.user_id,
            name_key,
            workflow.spec.SerializeToString(),
            workflow.estimated_cost.compute_units,
            duration_us,
            workflow.shared,
            workflow.status,
            time_us,
            time_us,
        )

    def update(self, workflow: Workflow, *, name_key: str, duration_us: int, time_us: int) -> None:
        """Replace everything of a workflow but its id, project, owner and creation time."""
        self._update(
            name_key,
            workflow.spec.SerializeToString(),
            workflow.estimated_cost.compute_units,
            duration_us,
            workflow.shared,
            workflow.status,
            time_us,
            workflow.id,
        )

    def delete(self, workflow_id: str) -> None:
        """Remove a workflow; the counts of its owner and project are the caller's to keep."""
        self._delete(workflow_id)
