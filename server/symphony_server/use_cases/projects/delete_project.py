"""Deletes a project that holds nothing."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_service_pb2 import DeleteProjectRequest
from symphony_server.refusal import Violation
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import stale
from symphony_server.use_cases.projects.get_project import permitted_project
from symphony_server.use_cases.projects.membership import record_member_change
from symphony_server.use_cases.recording import record_change


def delete_project(transaction: Transaction, call: Call, request: DeleteProjectRequest) -> Empty:
    """Nothing; the project and its memberships are gone."""
    judgement = call.judgement
    project_id = request.id
    project = permitted_project(transaction, call, "projects.delete", project_id, field="id")

    judgement.ask("etag", stale(request.etag, project.etag, field="etag"))
    judgement.ask("project.empty", _in_use(transaction, project_id))
    judgement.conclude()

    for member in transaction.members.delete_all(project_id):
        record_member_change(transaction, call, member, None)
    transaction.projects.delete(project_id)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_PROJECT,
        ChangeOperation.CHANGE_OPERATION_DELETED,
        project_id,
        project_id=project_id,
    )
    return Empty()


def _in_use(transaction: Transaction, project_id: str) -> Violation | None:
    holds = {
        "workflows": transaction.projects.workflow_count(project_id) > 0,
        "extensions": transaction.extensions.any_in(project_id),
    }
    used_by = [name for name, held in holds.items() if held]
    if not used_by:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_RESOURCE_IN_USE,
        f"the project still holds {' and '.join(used_by)}; remove them first",
        field="id",
        subject=project_id,
        metadata={"used_by": ",".join(used_by)},
    )
