"""What is said of a database that fails: to callers a refusal, to the log the cause.

A database that is gone fails every call, hundreds a second. The log has the first with all that
is known of it, and then a line a second that counts the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.session import DatabaseUnusable

_log = logging.getLogger(__name__)

FLOOD_SECONDS: Final = 1.0
RETRY_AFTER_SECONDS: Final = 1.0


class Failures:
    """The failures of one database, from any thread."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        """Start with none."""
        self._timer = timer
        self._lock = threading.Lock()
        self._said_at = -FLOOD_SECONDS
        self._unsaid = 0

    def refusal(self, cause: Exception) -> Refused:
        """The refusal for a failure, which is logged; the cause goes to the log only."""
        with self._lock:
            now = self._timer()
            say, unsaid = now - self._said_at >= FLOOD_SECONDS, self._unsaid
            if say:
                self._said_at, self._unsaid = now, 0
            else:
                self._unsaid += 1
        if say:
            more = f" ({unsaid} times more since it was last said)" if unsaid else ""
            if isinstance(cause, DatabaseUnusable):
                # It does not open: where that was found out says nothing.
                _log.error("%s%s", " ".join(str(cause).split()), more)
            else:
                _log.error("the database failed%s", more, exc_info=cause)
        return Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
                    "the database did not answer, so it is unknown whether anything was written; "
                    "retry with the same request_id",
                )
            ],
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )
