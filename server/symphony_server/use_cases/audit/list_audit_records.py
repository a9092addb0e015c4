"""Lists audit records."""

from __future__ import annotations

from symphony.v1.audit_pb2 import AuditRecord
from symphony.v1.audit_service_pb2 import ListAuditRecordsRequest, ListAuditRecordsResponse
from symphony_server.store.audit_listing import AUDIT_RECORDS
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.permission import decide_audit_read
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, read_page, time_filters


def list_audit_records(
    snapshot: Snapshot, call: Call, request: ListAuditRecordsRequest
) -> ListAuditRecordsResponse:
    """A page of records, newest first unless asked otherwise."""
    decide_audit_read(call)
    filters = given(
        caller_id=request.caller_id,
        user_id=request.user_id,
        resource_id=request.resource_id,
        method=request.method,
        outcome=request.outcome,
        reason=request.reason,
    ) | time_filters(request, "time")
    records, next_token = read_page(
        snapshot,
        call,
        request,
        AUDIT_RECORDS,
        lambda row: AuditRecord.FromString(row[0]),
        filters,
        everything=True,
    )
    return ListAuditRecordsResponse(audit_records=records, next_page_token=next_token)
