"""The errors of the data layer.

    DataError
    ├── ValidationFailed             the request is wrong: `violations` names each field and rule
    │   └── PreValidationFailed      found before the call; also a `grpc.RpcError`, as the server's
    ├── NotAuthenticated             no credentials, or none that are good
    ├── AuthorizationFailed          not allowed: `reason` says what is lacking, `decision_id` more
    ├── NotFound                     no such resource, or not for these eyes
    ├── AlreadyExists                the name, e-mail address, id or membership is taken
    ├── Conflict                     what is known of the server is out of date: read again
    ├── PreconditionFailed           something else must change first: tier, project, state
    ├── LimitExceeded                a quota or rate is used up: `retry_after`, if waiting helps
    ├── OperationNotSupported        the server, or the data source, does not offer it
    ├── ServerError                  the server's fault: quote the `request_id`
    ├── NetworkError                 nobody answered, or not now; retrying is safe
    ├── DeadlineExceeded             no answer in time; a write may have happened
    └── SerializationError           what was sent or received could not be read

Every `ErrorReason` of the contract is one of these (`ERROR_CLASSES_BY_REASON`), and so is every
status code where no reason came along. Generated stubs raise `grpc.RpcError`; `raising_data_errors`
makes these of them.
"""

from symphony_client.errors.conversion import raising_data_errors, to_data_error
from symphony_client.errors.reasons import ERROR_CLASSES_BY_CODE, ERROR_CLASSES_BY_REASON
from symphony_client.errors.status_details import StatusDetails, Violation
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
    PreValidationFailed,
    SerializationError,
    ServerError,
    ValidationFailed,
)

__all__ = [
    "ERROR_CLASSES_BY_CODE",
    "ERROR_CLASSES_BY_REASON",
    "AlreadyExists",
    "AuthorizationFailed",
    "Conflict",
    "DataError",
    "DeadlineExceeded",
    "LimitExceeded",
    "NetworkError",
    "NotAuthenticated",
    "NotFound",
    "OperationNotSupported",
    "PreValidationFailed",
    "PreconditionFailed",
    "SerializationError",
    "ServerError",
    "StatusDetails",
    "ValidationFailed",
    "Violation",
    "raising_data_errors",
    "to_data_error",
]
