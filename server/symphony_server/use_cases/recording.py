"""Audit records and change records, made in one place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from google.rpc import code_pb2

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord, AuditViolation
from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony_server.access.decisions import Answer
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.refusal import Violation
from symphony_server.store.change_log import Standing
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call

_PLAIN: Final = Standing()

RECORDED_VIOLATIONS: Final = 20
"""As many as the answer itself names (contract.md)."""


def record_allowed(transaction: Transaction, call: Call, *, validated_only: bool) -> None:
    """Record that a call was allowed, in the transaction of what it wrote."""
    outcome = (
        AuditOutcome.AUDIT_OUTCOME_VALIDATED
        if validated_only
        else AuditOutcome.AUDIT_OUTCOME_ALLOWED
    )
    record = _record(transaction, call, outcome)
    if not validated_only:
        record.revision = transaction.changes.revision
    transaction.audit.append(record)


def record_refused(
    transaction: Transaction, call: Call, violations: Sequence[Violation], count: int = 1
) -> None:
    """Record that a call was refused, or `count` calls alike."""
    record = _record(transaction, call, AuditOutcome.AUDIT_OUTCOME_DENIED)
    first = violations[0]
    record.code = first.code
    record.reason = first.reason_name
    record.violations.extend(
        AuditViolation(field=v.field, reason=v.reason_name, rule=v.rule)
        for v in violations[:RECORDED_VIOLATIONS]
    )
    record.count = count
    transaction.audit.append(record)


def record_failed(transaction: Transaction, call: Call) -> None:
    """Record that a call failed through a fault of the server."""
    call.decision_id = ""  # of a write that was made all the same, it is taken
    record = _record(transaction, call, AuditOutcome.AUDIT_OUTCOME_FAILED)
    record.code = code_pb2.INTERNAL
    record.reason = "INTERNAL"
    transaction.audit.append(record)


def record_change(
    transaction: Transaction,
    call: Call,
    kind: ResourceKind.ValueType,
    operation: ChangeOperation.ValueType,
    resource_id: str,
    *,
    project_id: str = "",
    resource: Any = None,
    standing: Standing = _PLAIN,
) -> None:
    """Record a change of a resource in the transaction that makes it. `standing` says who may
    see it, where the relation to its project does not say all.
    """
    call.resource_id = resource_id
    transaction.changes.append(
        kind=kind,
        operation=operation,
        resource_id=resource_id,
        project_id=project_id,
        request_id=call.request_id,
        time_us=transaction.time_us,
        resource=b"" if resource is None else resource.SerializeToString(),
        standing=standing,
    )


def _record(transaction: Transaction, call: Call, outcome: AuditOutcome.ValueType) -> AuditRecord:
    # A transaction knows its decision before its own record is written, for its parts name it.
    record_id = new_id("audit") if call.is_part or not call.decision_id else call.decision_id
    call.decision_id = call.decision_id or record_id
    record = AuditRecord(
        id=record_id,
        request_id=call.request_id,
        decision_id=call.decision_id,
        method=call.method,
        caller_id=call.caller.principal.id,
        user_id=call.caller.user.id,
        resource_id=call.resource_id,
        outcome=outcome,
        evaluation=write_evaluation(call.judgement.answers),
        count=1,
    )
    set_timestamp(record.time, transaction.time_us)
    seconds, nanos = divmod(time.monotonic_ns() - call.started_ns, 1_000_000_000)
    record.duration.seconds = seconds
    record.duration.nanos = nanos
    return record


def write_evaluation(answers: Sequence[Answer]) -> bytes:
    """The rules asked, as a record keeps them: a line a rule, `+` or `-`, the rule, the
    reason and the detail, parted by tabs.
    """
    return "\n".join(
        f"{'+' if a.passed else '-'}{a.rule}\t{a.reason}\t{a.detail}" for a in answers
    ).encode()


def read_evaluation(evaluation: bytes) -> list[Answer]:
    """The rules asked, from what a record keeps."""
    answers = []
    for line in evaluation.decode().splitlines():
        rule, reason, detail = line[1:].split("\t", 2)
        answers.append(Answer(rule, passed=line[0] == "+", reason=reason, detail=detail))
    return answers
