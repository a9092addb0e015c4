"""Uninstalls an extension that no workflow uses."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.extension_service_pb2 import UninstallExtensionRequest
from symphony_server.refusal import Violation
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import stale
from symphony_server.use_cases.extensions.get_extension import permitted_extension
from symphony_server.use_cases.recording import record_change


def uninstall_extension(
    transaction: Transaction, call: Call, request: UninstallExtensionRequest
) -> Empty:
    """Nothing; the extension is gone."""
    judgement = call.judgement
    extension = permitted_extension(
        transaction, call, "extensions.uninstall", request.id, field="id"
    )
    judgement.ask("etag", stale(request.etag, extension.etag, field="etag"))
    judgement.ask("extension.unused", _in_use(transaction, extension.id))
    judgement.conclude()

    transaction.extensions.delete(extension.id)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_EXTENSION,
        ChangeOperation.CHANGE_OPERATION_DELETED,
        extension.id,
        project_id=extension.project_id,
    )
    return Empty()


def _in_use(transaction: Transaction, extension_id: str) -> Violation | None:
    if not transaction.extensions.is_used(extension_id):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_RESOURCE_IN_USE,
        "steps of workflows still use the extension; change them first, or disable it instead",
        field="id",
        subject=extension_id,
        metadata={"used_by": "workflows"},
    )
