"""Gets an audit record."""

from __future__ import annotations

from symphony.v1.audit_pb2 import AuditRecord
from symphony.v1.audit_service_pb2 import GetAuditRecordRequest
from symphony_server.refusal import Refused, not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.permission import decide_audit_read
from symphony_server.use_cases.call import Call


def get_audit_record(snapshot: Snapshot, call: Call, request: GetAuditRecordRequest) -> AuditRecord:
    """The record with the id."""
    call.resource_id = request.id
    decide_audit_read(call)
    record = snapshot.audit.get(request.id)
    if record is None:
        raise Refused([not_found("audit record", request.id)])
    return record
