"""Time as the server keeps it: whole microseconds since 1970, UTC."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

MICROSECONDS = 1_000_000
DAY_US = 24 * 60 * 60 * MICROSECONDS


def now_us() -> int:
    """The time now, in microseconds since 1970."""
    return time.time_ns() // 1000


def set_timestamp(target: Timestamp, time_us: int) -> None:
    """Set a message's timestamp to a time in microseconds."""
    target.seconds, microseconds = divmod(time_us, MICROSECONDS)
    target.nanos = microseconds * 1000


def timestamp_us(value: Timestamp) -> int:
    """A message's timestamp in microseconds; what is below is cut off."""
    return value.seconds * MICROSECONDS + value.nanos // 1000
