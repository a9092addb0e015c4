"""What the synchronous API gets for a call that was not made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Never

import grpc

from symphony_client.calls.outgoing_call import Metadata
from symphony_client.errors import PreValidationFailed

if TYPE_CHECKING:
    AnyFuture = grpc.Future[object]
else:
    AnyFuture = grpc.Future  # generic in its types only


class RefusedCall(grpc.Call, AnyFuture):
    """A call that has ended already, in a `PreValidationFailed`.

    An interceptor that raised instead would give callers of `future()` the code INTERNAL.
    """

    def __init__(self, refusal: PreValidationFailed) -> None:
        self._refusal = refusal

    def code(self) -> grpc.StatusCode:
        """Returns INVALID_ARGUMENT."""
        return self._refusal.code()

    def details(self) -> str:
        """Returns what is wrong, in plain words."""
        return self._refusal.message

    def initial_metadata(self) -> Metadata:
        """Returns no metadata."""
        return ()

    def trailing_metadata(self) -> Metadata:
        """Returns the rich status."""
        return tuple(self._refusal.trailing_metadata())

    def is_active(self) -> bool:
        """Returns False: it has ended."""
        return False

    def time_remaining(self) -> float:
        """Returns 0: it has ended."""
        return 0

    def cancel(self) -> bool:
        """Returns False: there is nothing to cancel."""
        return False

    def cancelled(self) -> bool:
        """Returns False: it was not cancelled."""
        return False

    def running(self) -> bool:
        """Returns False: it has ended."""
        return False

    def done(self) -> bool:
        """Returns True: it has ended."""
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002
        """Returns False: it is too late to be told of the end."""
        return False

    def add_done_callback(self, fn: Callable[[AnyFuture], None]) -> None:
        """Calls `fn` at once."""
        fn(self)

    def result(self, timeout: float | None = None) -> Never:  # noqa: ARG002
        """Raises the refusal."""
        raise self._refusal

    def exception(self, timeout: float | None = None) -> PreValidationFailed:  # noqa: ARG002
        """Returns the refusal."""
        return self._refusal

    def traceback(self, timeout: float | None = None) -> TracebackType | None:  # noqa: ARG002
        """Returns where the refusal was made."""
        return self._refusal.__traceback__

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> Never:
        raise self._refusal
