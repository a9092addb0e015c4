"""What a workflow is estimated to cost: what the server computes where nothing is declared."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration

from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowSpec, WorkflowStep
from symphony_client.rules.step_graph import dependencies, in_order

DEFAULT_STEP_SECONDS: Final = 5
"""What a step counts that states no duration (the contract's comment on the field)."""

DEFAULT_STEP_COMPUTE_UNITS: Final = 10
"""What a step counts that states no compute units (the contract's comment on the field)."""

_US_PER_SECOND: Final = 1_000_000
_NS_PER_US: Final = 1_000
_MAX_INT64: Final = 2**63 - 1
_MAX_DURATION_SECONDS: Final = 315_576_000_000  # google/protobuf/duration.proto


def calculate_workflow_cost(spec: WorkflowSpec) -> WorkflowCost:
    """Returns the compute units of all steps together and the critical path of their durations.

    Of a spec that the server takes it is what the server computes, to the microsecond; what is
    less than one is dropped. It never raises: `rules.step_graph` says what it makes of a graph
    that is not sound, and sums are kept within what the fields hold.
    """
    longest_us = _MAX_DURATION_SECONDS * _US_PER_SECOND
    seconds, us = divmod(min(_critical_path_us(spec), longest_us), _US_PER_SECOND)
    return WorkflowCost(
        compute_units=max(0, min(sum(map(_compute_units, spec.steps[:])), _MAX_INT64)),
        estimated_duration=Duration(seconds=seconds, nanos=us * _NS_PER_US),
    )


def estimate_execution_time(spec: WorkflowSpec) -> timedelta:
    """Returns how long the steps take when each starts as soon as those it depends on ended.

    That is the critical path, in whole microseconds: the duration of `calculate_workflow_cost`.
    """
    try:
        return timedelta(microseconds=_critical_path_us(spec))
    except OverflowError:
        return timedelta.max


def _critical_path_us(spec: WorkflowSpec) -> int:
    steps = spec.steps[:]
    durations_us = [_duration_us(step) for step in steps]
    ends_us = [0] * len(steps)
    for step, waited_for in in_order(dependencies(steps)):
        start_us = max([ends_us[needed] for needed in waited_for], default=0)
        ends_us[step] = start_us + durations_us[step]
    return max(ends_us, default=0)


def _duration_us(step: WorkflowStep) -> int:
    """Returns how long the step is expected to take; a negative duration counts as none."""
    if not step.HasField("estimated_duration"):
        return DEFAULT_STEP_SECONDS * _US_PER_SECOND
    duration = step.estimated_duration
    return max(0, duration.seconds * _US_PER_SECOND + duration.nanos // _NS_PER_US)


def _compute_units(step: WorkflowStep) -> int:
    """Returns what the step is expected to use."""
    return step.compute_units if step.HasField("compute_units") else DEFAULT_STEP_COMPUTE_UNITS
