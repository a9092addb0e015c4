"""The one table that says which error a reason is, and the one for where no reason came along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from symphony_client.errors.tree import (
    AlreadyExists,
    AuthorizationFailed,
    Conflict,
    DataError,
    DeadlineExceeded,
    LimitExceeded,
    NetworkError,
    NotAuthenticated,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    ServerError,
    ValidationFailed,
)

_REASONS_BY_CLASS: Final[Mapping[type[DataError], tuple[str, ...]]] = {
    ValidationFailed: (
        *("FIELD_INVALID", "UPDATE_MASK_INVALID", "PAGE_TOKEN_INVALID"),
        *("STEP_NAME_DUPLICATE", "STEP_DEPENDENCY_UNKNOWN", "STEP_DEPENDENCY_SELF"),
        *("STEP_DEPENDENCY_CYCLE", "ESTIMATE_BELOW_CRITICAL_PATH"),
        *("MANIFEST_MALFORMED", "MANIFEST_INVALID"),
    ),
    NotAuthenticated: ("CREDENTIALS_MISSING", "CREDENTIALS_INVALID", "CREDENTIALS_EXPIRED"),
    AuthorizationFailed: (
        *("ROLE_REQUIRED", "PROJECT_ACCESS_REQUIRED", "OWNER_REQUIRED"),
        *("RESOURCE_ACCESS_REQUIRED", "ACT_AS_NOT_ALLOWED", "TOKEN_SCOPE_REQUIRED"),
        "USER_SUSPENDED",
    ),
    NotFound: ("RESOURCE_NOT_FOUND",),
    AlreadyExists: ("DUPLICATE_NAME", "EMAIL_TAKEN", "ID_TAKEN", "ALREADY_MEMBER"),
    # A request id that was used for something else is no sign that the resource exists.
    Conflict: ("ETAG_MISMATCH", "REVISION_COMPACTED", "REQUEST_ID_REUSED"),
    PreconditionFailed: (
        *("TIER_STEP_LIMIT", "TIER_DURATION_LIMIT"),
        *("PROJECT_STEP_LIMIT", "PROJECT_DURATION_LIMIT", "PROJECT_EXTENSION_NOT_ALLOWED"),
        *("EXTENSION_NOT_INSTALLED", "SCAN_REJECTED", "RESOURCE_IN_USE"),
        *("STATE_TRANSITION_INVALID", "PRECONDITION_FAILED", "LAST_OWNER"),
    ),
    LimitExceeded: (
        *("TIER_WORKFLOW_LIMIT", "TIER_EXTENSION_LIMIT", "PROJECT_WORKFLOW_LIMIT"),
        "RATE_LIMITED",
    ),
    NetworkError: ("OVERLOADED", "STORE_UNAVAILABLE", "SHUTTING_DOWN"),
    ServerError: ("INTERNAL",),
}

ERROR_CLASSES_BY_REASON: Final[Mapping[str, type[DataError]]] = {
    reason: error_class for error_class, reasons in _REASONS_BY_CLASS.items() for reason in reasons
}
"""Which error each `ErrorReason` is."""

ERROR_CLASSES_BY_CODE: Final[Mapping[grpc.StatusCode, type[DataError]]] = {
    grpc.StatusCode.CANCELLED: NetworkError,
    grpc.StatusCode.UNKNOWN: ServerError,
    grpc.StatusCode.INVALID_ARGUMENT: ValidationFailed,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: AuthorizationFailed,
    grpc.StatusCode.UNAUTHENTICATED: NotAuthenticated,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceeded,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionFailed,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.OUT_OF_RANGE: Conflict,
    grpc.StatusCode.UNIMPLEMENTED: OperationNotSupported,
    grpc.StatusCode.INTERNAL: ServerError,
    grpc.StatusCode.UNAVAILABLE: NetworkError,
    grpc.StatusCode.DATA_LOSS: ServerError,
}
"""Which error a status code is where no reason came along: from gRPC itself, or from a proxy."""
