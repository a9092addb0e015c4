"""Etags: what lets a caller change only what it saw."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.clock import timestamp_us
from symphony_server.refusal import Violation


def stale(given: str, current: str, *, field: str) -> Violation | None:
    """The violation of an etag that was given and is not the current one."""
    if not given or given == current:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_ETAG_MISMATCH,
        "does not match: the resource has changed since it was read; read it again and "
        "repeat the change on what it is now",
        field=field,
        metadata={"etag": current},
    )


def next_change_time(time_us: int, etag: str) -> int:
    """The same as `next_time`, for a resource that has no update time but in its etag."""
    return max(time_us, int(etag, 16) + 1)


def next_time(time_us: int, last: Timestamp) -> int:
    """The update time of a change now: later than the last one even if the clock is not, for
    an etag is made of it.
    """
    return max(time_us, timestamp_us(last) + 1)
