"""What a workflow is estimated to cost: what was declared, completed from its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowStep
from symphony_server.refusal import Violation
from symphony_server.rules.estimates import (
    MAX_ESTIMATED_SECONDS,
    US_PER_SECOND,
    duration_message,
    duration_us,
    seconds_text,
    total_compute_units,
)

_DURATION_FIELD: Final = "estimated_cost.estimated_duration"


def complete_cost(
    declared: WorkflowCost | None, steps: Sequence[WorkflowStep], critical_path_us: int
) -> tuple[WorkflowCost, Violation | None]:
    """The cost to keep, and what is wrong with its duration, if anything.

    What is declared is kept as it is, even beside a violation. Compute units that are not are the
    sum of the steps', and the duration is their critical path.
    """
    cost = WorkflowCost()
    if declared is not None:
        cost.CopyFrom(declared)
    if not cost.HasField("compute_units"):
        cost.compute_units = total_compute_units(steps)
    if cost.HasField("estimated_duration"):
        return cost, _below_critical_path(duration_us(cost.estimated_duration), critical_path_us)
    cost.estimated_duration.CopyFrom(duration_message(critical_path_us))
    return cost, _beyond_contract(critical_path_us)


def _below_critical_path(declared_us: int, critical_path_us: int) -> Violation | None:
    if declared_us >= critical_path_us:
        return None
    declared, needed = seconds_text(declared_us), seconds_text(critical_path_us)
    return Violation(
        ErrorReason.ERROR_REASON_ESTIMATE_BELOW_CRITICAL_PATH,
        f"the declared duration of {declared} s is shorter than the {needed} s that the steps need"
        f" one after the other; declare at least {needed} s, or none to have it computed",
        field=_DURATION_FIELD,
        metadata={"critical_path_seconds": needed, "declared_seconds": declared},
    )


def _beyond_contract(critical_path_us: int) -> Violation | None:
    """A sum of steps that are each within the contract's limit can still be beyond it."""
    if critical_path_us <= MAX_ESTIMATED_SECONDS * US_PER_SECOND:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_FIELD_INVALID,
        f"the steps need {seconds_text(critical_path_us)} s one after the other, and a workflow may"
        f" be estimated at no more than {MAX_ESTIMATED_SECONDS} s (10 years); shorten the steps'"
        " estimated_duration",
        field="spec.steps",
    )
