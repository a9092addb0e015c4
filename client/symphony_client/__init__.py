"""The Python client of the Symphony data layer.

Two ways in. `DataAccess` is typed and async, over whichever adapter the environment names:

    from symphony_client import DataAccess

    async with DataAccess.from_env() as data:
        workflow = await data.workflows.find_by_id(workflow_id)

`connect` gives a channel for the generated stubs:

    from symphony.v1 import workflow_service_pb2, workflow_service_pb2_grpc
    from symphony_client import connect, raising_data_errors

    with connect("localhost:50051", token=token) as channel, raising_data_errors():
        workflows = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
        print(workflows.GetWorkflow(workflow_service_pb2.GetWorkflowRequest(id=workflow_id)))

Either way every call gets the credentials and a deadline, every write a `request_id`, so that it
is retried without a second effect; a request that breaks the contract's rules is refused before it
is sent. `symphony_client.aio.connect` is the second way for asyncio. `symphony_client.errors`
draws the errors.
"""

from typing import TYPE_CHECKING, Any

from symphony_client import aio
from symphony_client.channel import connect
from symphony_client.errors import (
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
    raising_data_errors,
    to_data_error,
)

if TYPE_CHECKING:
    from symphony_client.data_access import DataAccess
    from symphony_client.ids import new_id
    from symphony_client.settings import ClientSettings, SettingsInvalid

__all__ = [
    "AlreadyExists",
    "AuthorizationFailed",
    "ClientSettings",
    "Conflict",
    "DataAccess",
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
    "SettingsInvalid",
    "ValidationFailed",
    "aio",
    "connect",
    "new_id",
    "raising_data_errors",
    "to_data_error",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for by name: who only wants `connect` need not wait for the adapters
    and their settings, which take longer to import than all the rest.
    """
    from importlib import import_module

    module = {
        "ClientSettings": "settings",
        "DataAccess": "data_access",
        "SettingsInvalid": "settings",
        "new_id": "ids",
    }.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
