"""Updates a project."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import UpdateProjectRequest
from symphony_server.clock import timestamp_us
from symphony_server.rules.names import name_key
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_time, stale
from symphony_server.use_cases.projects.get_project import permitted_project
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.update_masks import apply_update


def update_project(transaction: Transaction, call: Call, request: UpdateProjectRequest) -> Project:
    """The project as changed. Workflows it holds already are not judged again."""
    judgement = call.judgement
    project_id = request.project.id
    current = permitted_project(
        transaction, call, "projects.update", project_id, field="project.id"
    )

    judgement.ask("etag", stale(request.project.etag, current.etag, field="project.etag"))
    judgement.conclude()

    updated: Project = apply_update(current, request.project, call.update_paths)
    if not updated.constraints.ByteSize():
        updated.ClearField("constraints")
    time_us = next_time(transaction.time_us, current.update_time)
    stamp(updated, create_time_us=timestamp_us(current.create_time), update_time_us=time_us)
    transaction.projects.update(updated, name_key=name_key(updated.name), time_us=time_us)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_PROJECT,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
        project_id,
        project_id=project_id,
        resource=updated,
    )
    return updated
