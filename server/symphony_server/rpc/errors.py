"""Refusals → statuses: the one place where a status, its sentence and its details are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

# Imported so that server reflection knows the details and grpcurl can decode them.
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)

from symphony_server.refusal import Refused, Violation

DOMAIN: Final = "symphony.v1"
MAX_NAMED: Final = 20
"""As many violations are named; the rest is counted (contract.md)."""
MAX_STATUS_BYTES: Final = 1500
"""A serialized status; its base64 copy in the trailers stays under 2 KiB. gRPC refuses
metadata beyond 8 KiB."""
MAX_MESSAGE_BYTES: Final = 600
MAX_BRIEF_MESSAGE_BYTES: Final = 350
MAX_METADATA_BYTES: Final = 500

CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Status:
    """What goes back to the client instead of a response."""

    code: grpc.StatusCode
    message: str
    details: bytes
    """A serialized `google.rpc.Status`, for `grpc-status-details-bin`."""
    reason: str


class DeadlinePassed(Exception):
    """The caller does not wait for an answer any more, or kept the server waiting too long."""


def status_of(refused: Refused, *, request_id: str, decision_id: str) -> Status:
    """The status of a refusal, as many violations named as fit.

    When it gets too large, the details first lose their sentences, which the message has
    too, then the message gets briefer, and then the last violations go.
    """
    named = min(len(refused.violations), MAX_NAMED)
    status = _status(refused, named, MAX_MESSAGE_BYTES, request_id, decision_id, sentences=True)
    smaller = [
        (named, MAX_MESSAGE_BYTES),
        *((fewer, MAX_BRIEF_MESSAGE_BYTES) for fewer in range(named, 0, -1)),
    ]
    for count, most in smaller:
        if status.ByteSize() <= MAX_STATUS_BYTES:
            break
        status = _status(refused, count, most, request_id, decision_id, sentences=False)
    return Status(
        code=CODES[refused.first.code],
        message=status.message,
        details=status.SerializeToString(),
        reason=refused.first.reason_name,
    )


def deadline_status(passed: DeadlinePassed) -> Status:
    """The status of a call that came too late to be begun; gRPC's own, which has no reason."""
    message = str(passed)
    status = status_pb2.Status(code=code_pb2.DEADLINE_EXCEEDED, message=message)
    return Status(grpc.StatusCode.DEADLINE_EXCEEDED, message, status.SerializeToString(), "")


def internal_status(request_id: str) -> Status:
    """The status of a fault of the server: fixed text, the cause in the log only."""
    message = f"the server failed; its log has the cause beside the request id {request_id}"
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"request_id": request_id})
    status = status_pb2.Status(code=code_pb2.INTERNAL, message=message, details=[_any(info)])
    return Status(grpc.StatusCode.INTERNAL, message, status.SerializeToString(), "INTERNAL")


def _status(
    refused: Refused,
    named: int,
    message_bytes: int,
    request_id: str,
    decision_id: str,
    *,
    sentences: bool,
) -> status_pb2.Status:
    violations = refused.violations[:named]
    first = refused.first
    info = ErrorInfo(reason=first.reason_name, domain=DOMAIN, metadata={"request_id": request_id})
    if decision_id:
        info.metadata["decision_id"] = decision_id
    for key, value in first.metadata.items():
        info.metadata[key] = _shortened(value, MAX_METADATA_BYTES)
    details: list[Message] = [info, *_details(violations, sentences=sentences)]
    if refused.retry_after_seconds is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(refused.retry_after_seconds * 1000))
        details.append(retry)
    return status_pb2.Status(
        code=first.code,
        message=sentence(violations, len(refused.violations), message_bytes),
        details=[_any(detail) for detail in details],
    )


def sentence(violations: Sequence[Violation], total: int, max_bytes: int) -> str:
    """The violations in plain words, for a person who reads nothing else.

    Those whose words do not fit are named by field and rule.
    """
    said = [f"{v.field}: {v.description}" if v.field else v.description for v in violations]
    named = [f"{v.field or 'request'} ({v.rule or v.reason_name})" for v in violations]
    words = ""
    for whole in range(len(said), 0, -1):
        words = "; ".join(said[:whole])
        if whole < len(said):
            words += f"; also {', '.join(named[whole:])}"
        if len(words.encode()) <= max_bytes:
            break
    words = _shortened(words, max_bytes)
    if total > len(violations):
        words += f"; and {total - len(violations)} more"
    return f"{total} things are wrong: {words}" if total > 1 else words


def _details(violations: Sequence[Violation], *, sentences: bool) -> list[Message]:
    """The details that tell a program which field, quota, precondition or resource it was."""
    bad, quota, precondition = BadRequest(), QuotaFailure(), PreconditionFailure()
    resource = ResourceInfo()
    unmet = set()
    for violation in violations:
        subject = violation.subject or violation.field
        said = _shortened(violation.description, MAX_METADATA_BYTES) if sentences else ""
        if violation.code == code_pb2.NOT_FOUND:
            resource.resource_type = violation.metadata.get("resource_type", "")
            resource.resource_name = subject
            resource.description = said
            continue
        if violation.field or violation.rule:
            reason = violation.rule or violation.reason_name
            bad.field_violations.add(field=violation.field, description=said, reason=reason)
        if violation.code == code_pb2.RESOURCE_EXHAUSTED:
            quota.violations.add(subject=subject, description=said)
        elif violation.code in (code_pb2.FAILED_PRECONDITION, code_pb2.ABORTED):
            # What a rule finds in several fields is one condition; BadRequest has each finding. And
            # without their sentences several on one subject are the same.
            if (violation.rule or not sentences) and (violation.reason, subject) in unmet:
                continue
            unmet.add((violation.reason, subject))
            precondition.violations.add(
                type=violation.reason_name, subject=subject, description=said
            )
    found: list[Message] = [bad, quota, precondition, resource]
    return [detail for detail in found if detail.ByteSize()]


def _any(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def _shortened(text: str, max_bytes: int) -> str:
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode(errors="ignore") + "…"
