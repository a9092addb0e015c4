"""What a failed call tells about itself: the `google.rpc` details of its status, taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)
from grpc_status import rpc_status

DOMAIN: Final = "symphony.v1"
"""The `ErrorInfo.domain` of our own reasons; another's reasons are not ours to read."""

DETAILS_TRAILER: Final = "grpc-status-details-bin"
REQUEST_ID_TRAILER: Final = "x-request-id"
DECISION_ID_TRAILER: Final = "x-symphony-decision-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that is wrong with a request, or stands in its way."""

    field: str = ""
    """The field's path, for example `spec.steps[3].name`; empty if it is not about a field."""
    rule: str = ""
    """The rule that was broken: protovalidate's id, such as `string.min_len`, or an
    `ErrorReason` without its prefix."""
    description: str = ""
    """What to change, in plain words."""
    subject: str = ""
    """What it is about besides a field: a resource, or whose quota."""

    def __str__(self) -> str:
        about = self.field or self.subject
        return f"{about}: {self.description}" if about else self.description


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDetails:
    """Everything a program can read off a failed call; what was not sent is empty."""

    status_code: grpc.StatusCode | None = None
    """The canonical code; None if there was no call."""
    reason: str = ""
    """The `ErrorReason` without its prefix, for example `DUPLICATE_NAME`."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What belongs to the reason; the contract names the keys in the reason's comment."""
    violations: tuple[Violation, ...] = ()
    """Broken field rules, exceeded quotas and unmet preconditions, in the server's order."""
    retry_after: timedelta | None = None
    """After how long the server thinks a retry makes sense."""
    resource_type: str = ""
    """What kind of resource is missing or taken."""
    resource_name: str = ""
    """Which one."""
    request_id: str = ""
    """Under which id the server's log has the call."""
    decision_id: str = ""
    """The id of the audit record, for `ExplainDecision`."""


def read_status_details(error: grpc.RpcError) -> StatusDetails:
    """Returns what `error` tells; malformed, foreign or absent details leave fields empty."""
    details = tuple(_details(error))
    info = next((info for info in _all(ErrorInfo, details) if info.domain == DOMAIN), ErrorInfo())
    resource = next(_all(ResourceInfo, details), ResourceInfo())
    metadata = dict(info.metadata)
    trailers = _trailers(error)
    return StatusDetails(
        status_code=_status_code(error),
        reason=info.reason,
        metadata=metadata,
        violations=tuple(violation for one in details for violation in _violations(one)),
        retry_after=next((_delay(retry) for retry in _all(RetryInfo, details)), None),
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
        request_id=metadata.get("request_id") or trailers.get(REQUEST_ID_TRAILER, ""),
        decision_id=metadata.get("decision_id") or trailers.get(DECISION_ID_TRAILER, ""),
    )


_DetailT = TypeVar("_DetailT", bound=Message)

_DETAIL_TYPES: Final[Mapping[str, type[Message]]] = {
    detail.DESCRIPTOR.full_name: detail
    for detail in (
        BadRequest,
        ErrorInfo,
        PreconditionFailure,
        QuotaFailure,
        ResourceInfo,
        RetryInfo,
    )
}


def _details(error: grpc.RpcError) -> Iterator[Message]:
    """Unpacks those details of the status that are known and whole."""
    try:
        status = rpc_status.from_call(cast(grpc.Call, error))
    except (AttributeError, DecodeError, ValueError):
        # Not the error of a call, not a status, or the status of another error.
        return
    for packed in status.details if status else ():
        detail_type = _DETAIL_TYPES.get(packed.TypeName())
        if detail_type is None:
            continue
        detail = detail_type()
        try:
            packed.Unpack(detail)
        except DecodeError:
            continue
        yield detail


def _all(detail_type: type[_DetailT], details: tuple[Message, ...]) -> Iterator[_DetailT]:
    return (detail for detail in details if isinstance(detail, detail_type))


def _violations(detail: Message) -> Iterator[Violation]:
    match detail:
        case BadRequest():
            for field_violation in detail.field_violations:
                yield Violation(
                    field=field_violation.field,
                    rule=field_violation.reason,
                    description=field_violation.description,
                )
        case QuotaFailure():
            for quota in detail.violations:
                yield Violation(subject=quota.subject, description=quota.description)
        case PreconditionFailure():
            for unmet in detail.violations:
                yield Violation(
                    rule=unmet.type, subject=unmet.subject, description=unmet.description
                )


def _delay(retry: RetryInfo) -> timedelta | None:
    try:
        return retry.retry_delay.ToTimedelta()
    except (OverflowError, ValueError):
        return None


def _status_code(error: grpc.RpcError) -> grpc.StatusCode | None:
    return error.code() if hasattr(error, "code") else None


def _trailers(error: grpc.RpcError) -> dict[str, str]:
    # Pairs in both APIs, which the types know of one only.
    trailers: Any = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None
    return {key: value for key, value in trailers or () if isinstance(value, str)}
