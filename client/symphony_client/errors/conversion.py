"""From what the generated stubs raise to the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc

from symphony_client.errors.reasons import ERROR_CLASSES_BY_CODE, ERROR_CLASSES_BY_REASON
from symphony_client.errors.status_details import StatusDetails, read_status_details
from symphony_client.errors.tree import DataError, SerializationError, ServerError

# What grpcio says, as INTERNAL, when its own (de)serializing failed (grpc/_channel.py).
_SERIALIZING_FAILED: Final = frozenset(
    {"Exception serializing request!", "Exception deserializing response!"}
)


def to_data_error(error: grpc.RpcError) -> DataError:
    """Returns the `DataError` that `error` is; details that are malformed do not matter."""
    if isinstance(error, DataError):
        return error
    status = read_status_details(error)
    message = (error.details() if hasattr(error, "details") else None) or str(error)
    return _class_of(status, message)(message, status)


@contextmanager
def raising_data_errors() -> Iterator[None]:
    """Turns each `grpc.RpcError` raised in the block into its `DataError`.

    It serves `await` and `async for` in the block as well.
    """
    try:
        yield
    except grpc.RpcError as error:
        if isinstance(error, DataError):
            raise
        raise to_data_error(error) from error


def _class_of(status: StatusDetails, message: str) -> type[DataError]:
    by_reason = ERROR_CLASSES_BY_REASON.get(status.reason)
    if by_reason:
        return by_reason
    if message in _SERIALIZING_FAILED:
        return SerializationError
    if status.status_code is None:
        return ServerError
    return ERROR_CLASSES_BY_CODE.get(status.status_code, ServerError)
