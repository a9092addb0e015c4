"""Audit records asked for, and asked for again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony.v1.audit_service_pb2 import ListAuditRecordsRequest
from symphony_client.contract_methods import contract_methods
from symphony_command.choices import OutcomeWord
from symphony_command.errors import UsageProblem
from symphony_command.listing import Listing
from symphony_command.names import user_id_if_named
from symphony_command.services import Server
from symphony_command.words import enum_value


def audit_request(
    server: Server,
    *,
    caller: str,
    user: str,
    resource: str,
    method: str,
    outcome: OutcomeWord | None,
    reason: str,
    after: Timestamp | None = None,
    before: Timestamp | None = None,
) -> ListAuditRecordsRequest:
    """The filters, as the contract has them."""
    return ListAuditRecordsRequest(
        caller_id=user_id_if_named(server, caller),
        user_id=user_id_if_named(server, user),
        resource_id=resource,
        method=_method(method) if method else "",
        outcome=enum_value(AuditOutcome, outcome),
        reason=reason.upper(),
        time_after=after,
        time_before=before,
    )


def records_as_they_come(
    server: Server,
    request: ListAuditRecordsRequest,
    *,
    first: int,
    interval_seconds: float | None,
) -> Iterator[AuditRecord]:
    """The last `first` records, oldest first, then each new one; None as interval ends after those.

    New ones are looked for by listing from the newest on to the last that is known, so that none
    is left out, whatever the order in which clocks had them.
    """
    last = 0
    newest = ListAuditRecordsRequest()
    newest.CopyFrom(request)
    for record in reversed(list(_listing(server, newest, max(first, 1)))):
        last = max(last, record.sequence)
        if first:
            yield record
    while interval_seconds is not None:
        time.sleep(interval_seconds)
        newest.CopyFrom(request)
        new = []
        for record in _listing(server, newest, 0):
            if record.sequence <= last:
                break
            new.append(record)
        for record in sorted(new, key=lambda one: one.sequence):
            last = record.sequence
            yield record


def _listing(server: Server, request: ListAuditRecordsRequest, limit: int) -> Listing:
    return Listing(server.audits.ListAuditRecords, request, "audit_records", limit=limit)


def _method(text: str) -> str:
    """The method's full name, of which people write the end."""
    known = [path.removeprefix("/") for path in contract_methods()]
    found = [name for name in known if name == text or name.endswith((f"/{text}", f".{text}"))]
    if not found:
        raise UsageProblem(
            f"there is no method {text!r}", "write its name, for example CreateWorkflow"
        )
    return found[0]
