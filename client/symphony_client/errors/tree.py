"""The classes of the tree, in the order in which the package's docstring draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import grpc
import grpc.aio
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from symphony_client.errors.status_details import (
    DETAILS_TRAILER,
    DOMAIN,
    StatusDetails,
    Violation,
)

MAX_VIOLATIONS_IN_MESSAGE: Final = 20
"""How many violations a message spells out, here and on the server; the rest are counted."""


class DataError(Exception):
    """Something the data layer could not do; `str()` of it is for people, the rest for programs."""

    def __init__(self, message: str = "", status: StatusDetails | None = None) -> None:
        super().__init__(message)
        self.message = message
        """What happened and what to change, in plain words."""
        self.status = status or StatusDetails()
        """All that the failed call told of itself."""

    @property
    def reason(self) -> str:
        """The contract's `ErrorReason` without its prefix: `DUPLICATE_NAME`; empty if unknown."""
        return self.status.reason

    @property
    def metadata(self) -> Mapping[str, str]:
        """What belongs to the reason; the contract's comment on it names the keys."""
        return self.status.metadata

    @property
    def violations(self) -> Sequence[Violation]:
        """Each thing that is wrong or in the way: of some errors only."""
        return self.status.violations

    @property
    def retry_after(self) -> timedelta | None:
        """After how long the server would have a retry; None if it did not say."""
        return self.status.retry_after

    @property
    def request_id(self) -> str:
        """Under which id the server's log has the call; empty if it never got there."""
        return self.status.request_id

    @property
    def decision_id(self) -> str:
        """The id of the audit record, which `ExplainDecision` takes; empty if there is none."""
        return self.status.decision_id

    def __repr__(self) -> str:
        reason = f", reason={self.reason!r}" if self.reason else ""
        return f"{type(self).__name__}({self.message!r}{reason})"


class ValidationFailed(DataError):
    """The request is wrong, whoever sends it; `violations` says where and why."""


class PreValidationFailed(ValidationFailed, grpc.aio.AioRpcError):
    """The request is wrong, and was not sent.

    It is what the server would have said: also a `grpc.RpcError` (and an `AioRpcError`, since
    that is what callers of `grpc.aio` catch) with the code, the details and the rich status of
    one, so that code for the generated stubs need not know of pre-validation.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        message = _sentence(violations)
        code = grpc.StatusCode.INVALID_ARGUMENT
        status = StatusDetails(
            status_code=code, reason=_reason(violations), violations=tuple(violations)
        )
        DataError.__init__(self, message, status)
        grpc.aio.AioRpcError.__init__(self, code, details=message)

    def initial_metadata(self) -> grpc.aio.Metadata:
        """Returns no metadata: no server answered."""
        return grpc.aio.Metadata()

    def trailing_metadata(self) -> grpc.aio.Metadata:  # type: ignore[override] # as in AioRpcError
        """Returns the rich status, made when it is asked for."""
        status = status_pb2.Status(code=self.code().value[0], message=self.message)
        status.details.add().Pack(ErrorInfo(reason=self.reason, domain=DOMAIN))
        fields = BadRequest()
        for violation in self.violations:
            fields.field_violations.add(
                field=violation.field, reason=violation.rule, description=violation.description
            )
        status.details.add().Pack(fields)
        return grpc.aio.Metadata((DETAILS_TRAILER, status.SerializeToString()))

    def __repr__(self) -> str:
        return DataError.__repr__(self)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[type[PreValidationFailed], tuple[Sequence[Violation]]]:
        return type(self), (self.violations,)


class NotAuthenticated(DataError):
    """The server does not know who is calling: credentials are missing, wrong or too old."""


class AuthorizationFailed(DataError):
    """The user may not do this; `reason` names what would have to change."""


class NotFound(DataError):
    """There is no such resource, or the user may not know of it."""


class AlreadyExists(DataError):
    """Something else has the name, e-mail address, id or membership already."""


class Conflict(DataError):
    """The request rests on what is no longer so: read again, or take another request id."""


class PreconditionFailed(DataError):
    """The request is fine, but something else must change first."""


class LimitExceeded(DataError):
    """A quota or a rate is used up; with `retry_after` waiting helps, without it does not."""


class OperationNotSupported(DataError):
    """The server, or the data source, does not offer this."""


class ServerError(DataError):
    """The server failed; its log has the cause beside the `request_id`."""


class NetworkError(DataError):
    """Nobody answered, or nobody can just now, though it was tried more than once.

    A write may have happened; trying it again is safe with the same `request_id`.
    """


class DeadlineExceeded(DataError):
    """There was no answer in time; whether a write happened is unknown.

    Who means to try a write again then gives it a `request_id` of its own and keeps it.
    """


class SerializationError(DataError):
    """A message could not be written or read: the two sides have different contracts."""


def _reason(violations: Sequence[Violation]) -> str:
    """The reason that the server would give: that of the first violation which has its own."""
    return "MANIFEST_MALFORMED" if violations[0].rule == "MANIFEST_MALFORMED" else "FIELD_INVALID"


def _sentence(violations: Sequence[Violation]) -> str:
    """Puts the violations as the server would, but for its richer words."""
    total = len(violations)
    spelled_out = "; ".join(map(str, violations[:MAX_VIOLATIONS_IN_MESSAGE]))
    if total > MAX_VIOLATIONS_IN_MESSAGE:
        spelled_out += f"; and {total - MAX_VIOLATIONS_IN_MESSAGE} more"
    return f"{total} things are wrong: {spelled_out}" if total > 1 else spelled_out
