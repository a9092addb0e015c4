"""What steps are estimated to take and use. Durations are whole microseconds, kept as integers.

Less than a microsecond is dropped. The longest duration that the rules can make, 1000 steps of ten
years one after the other, fits in 63 bits of microseconds and in a `Duration`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from google.protobuf.duration_pb2 import Duration

from symphony.v1.workflow_pb2 import WorkflowStep

US_PER_SECOND: Final = 1_000_000
_NS_PER_US: Final = 1_000

DEFAULT_STEP_SECONDS: Final = 5
"""What a step counts that states no duration."""

DEFAULT_STEP_DURATION_US: Final = DEFAULT_STEP_SECONDS * US_PER_SECOND
"""The same in microseconds."""

DEFAULT_STEP_COMPUTE_UNITS: Final = 10
"""What a step counts that states no compute units."""

MAX_ESTIMATED_SECONDS: Final = 315_576_000
"""Ten years: the contract's `lte` of every estimated duration."""


def duration_us(duration: Duration) -> int:
    """The duration in whole microseconds."""
    return duration.seconds * US_PER_SECOND + duration.nanos // _NS_PER_US


def duration_message(us: int) -> Duration:
    """The message for a duration in microseconds that is not negative."""
    seconds, rest = divmod(us, US_PER_SECOND)
    return Duration(seconds=seconds, nanos=rest * _NS_PER_US)


def seconds_text(us: int) -> str:
    """The duration in seconds as a decimal without needless zeros: `600` or `0.25`."""
    seconds, rest = divmod(us, US_PER_SECOND)
    return f"{seconds}.{rest:06}".rstrip("0").rstrip(".")


def step_duration_us(step: WorkflowStep) -> int:
    """How long the step is expected to take; the default where it does not say."""
    duration = step.estimated_duration
    seconds = duration.seconds
    # Whole seconds prove that it says so, and asking costs more than reading does.
    if seconds or step.HasField("estimated_duration"):
        return seconds * US_PER_SECOND + duration.nanos // _NS_PER_US
    return DEFAULT_STEP_DURATION_US


def step_compute_units(step: WorkflowStep) -> int:
    """What the step is expected to use; the default where it does not say."""
    units = step.compute_units
    if units or step.HasField("compute_units"):
        return units
    return DEFAULT_STEP_COMPUTE_UNITS


def total_compute_units(steps: Sequence[WorkflowStep]) -> int:
    """What all steps together are expected to use."""
    return sum(map(step_compute_units, steps[:]))


def critical_path_us(
    durations_us: Sequence[int], needs: Sequence[Sequence[int]], order: Iterable[int]
) -> int | None:
    """How long the steps take from start to end when each starts as soon as what it needs ended.

    `needs[i]` are the steps that step i waits for, and `order` names each step after those. None
    if it does not.
    """
    ends_us = [-1] * len(durations_us)
    for step in order:
        start_us = 0
        for needed in needs[step]:
            end_us = ends_us[needed]
            if end_us < 0:
                return None
            if end_us > start_us:
                start_us = end_us
        ends_us[step] = start_us + durations_us[step]
    return max(ends_us, default=0)
