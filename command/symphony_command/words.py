"""The contract's values as people read and write them: times, durations, enumerations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from symphony_command.errors import UsageProblem

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_WRITTEN_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def enum_word(enum: Any, value: int) -> str:
    """A value without its type's prefix, in lower case: `TIER_FREE` is `free`.

    One that this version does not know is its number; the one that is not set is nothing.
    """
    if value == 0:
        return ""
    descriptor = enum.DESCRIPTOR
    found = descriptor.values_by_number.get(value)
    if found is None:
        return str(value)
    return str(found.name.removeprefix(_prefix(enum))).lower().replace("_", " ")


def enum_value(enum: Any, word: str | None) -> Any:
    """The value that a word names; the one that is not set for none."""
    return 0 if not word else enum.Value(f"{_prefix(enum)}{word.upper().replace('-', '_')}")


def _prefix(enum: Any) -> str:
    """What all names of the type begin with: that of its zero says it."""
    return str(enum.DESCRIPTOR.values_by_number[0].name).removesuffix("UNSPECIFIED")


def moment(timestamp: Timestamp) -> str:
    """A time to the second: `2026-11-02 14:05:11Z`; nothing if it is not set."""
    if not timestamp.seconds:
        return ""
    return f"{datetime.fromtimestamp(timestamp.seconds, UTC):%Y-%m-%d %H:%M:%S}Z"


def age(timestamp: Timestamp) -> str:
    """How long ago it was, in the largest unit: `3 min`."""
    if not timestamp.seconds:
        return ""
    seconds = max(0, int(datetime.now(UTC).timestamp()) - timestamp.seconds)
    return next((f"{seconds // size} {unit}" for unit, size in _UNITS if seconds >= size), "now")


def span(duration: Duration) -> str:
    """How long: `1 h 30 min`, `45 s`, `0.25 s`."""
    seconds = duration.seconds + duration.nanos / 1_000_000_000
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    parts, left = [], round(seconds)
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def written_span(text: str) -> timedelta:
    """A duration as people write it: `90s`, `30m`, `2h`, `7d`, or seconds without a unit."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip() or "s"
    try:
        return timedelta(seconds=float(number) * _WRITTEN_UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        raise UsageProblem(
            f"{text!r} is no duration", "write a number and s, m, h or d: 90s, 30m, 2h"
        ) from None


def written_moment(text: str | None) -> Timestamp | None:
    """A time as people write it: `2026-11-02`, `2026-11-02T14:05` (UTC unless it says), or how
    long ago, `2h`; None for none.
    """
    from google.protobuf.timestamp_pb2 import Timestamp

    if text is None:
        return None
    moment = Timestamp()
    moment.FromDatetime(_written_moment(text))
    return moment


def _written_moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - written_span(text)
        except (UsageProblem, OverflowError):
            raise UsageProblem(
                f"{text!r} is no time", "write a date, 2026-11-02T14:05, or how long ago: 2h"
            ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
