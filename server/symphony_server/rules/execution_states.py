"""The states of a run and of its steps: what may follow what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from symphony.v1 import execution_pb2
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.execution_pb2 import ExecutionState, ExecutionStep
from symphony_server.refusal import Violation
from symphony_server.rules.names import quoted

PENDING: Final = ExecutionState.EXECUTION_STATE_PENDING
RUNNING: Final = ExecutionState.EXECUTION_STATE_RUNNING
SUCCEEDED: Final = ExecutionState.EXECUTION_STATE_SUCCEEDED
FAILED: Final = ExecutionState.EXECUTION_STATE_FAILED
CANCELLED: Final = ExecutionState.EXECUTION_STATE_CANCELLED

FINAL: Final = frozenset({SUCCEEDED, FAILED, CANCELLED})

RUN_TRANSITIONS: Final[Mapping[int, frozenset[int]]] = {
    PENDING: frozenset({PENDING, RUNNING, CANCELLED}),
    RUNNING: frozenset({RUNNING, SUCCEEDED, FAILED, CANCELLED}),
}
"""What may follow in a run. What has ended stays as it is: it may not even be reported again."""

STEP_TRANSITIONS: Final[Mapping[int, frozenset[int]]] = {
    PENDING: frozenset({PENDING, RUNNING, *FINAL}),
    RUNNING: frozenset({RUNNING, *FINAL}),
    SUCCEEDED: frozenset({SUCCEEDED}),
    FAILED: frozenset({FAILED}),
    CANCELLED: frozenset({CANCELLED}),
}
"""What may follow in a step: a report may come too late to have seen it run."""


def state_name(state: int) -> str:
    """The state as people say it: `RUNNING`."""
    value = execution_pb2.DESCRIPTOR.enum_types_by_name["ExecutionState"].values_by_number[state]
    return value.name.removeprefix("EXECUTION_STATE_")


def run_transition(before: int, after: int, *, field: str) -> Violation | None:
    """The violation of a run that may not go from one state to another."""
    allowed = RUN_TRANSITIONS.get(before, frozenset())
    if after in allowed:
        return None
    return _invalid("the execution", before, after, allowed - {before}, field)


def step_transitions(
    before: Sequence[ExecutionStep], after: Sequence[ExecutionStep], *, field: str
) -> list[Violation]:
    """What is wrong with a report of steps: each step of the run must be in it once, and may
    go only where its state allows.
    """
    states = {step.name: step.state for step in before}
    violations = []
    seen: set[str] = set()
    for index, step in enumerate(after):
        path = f"{field}[{index}]"
        if step.name not in states or step.name in seen:
            wrong = "is named twice" if step.name in seen else "is not a step of this execution"
            violations.append(_field_invalid(f"{quoted(step.name)} {wrong}", f"{path}.name"))
            continue
        seen.add(step.name)
        allowed = STEP_TRANSITIONS[states[step.name]]
        if step.state not in allowed:
            what = f"step {quoted(step.name)}"
            violations.append(
                _invalid(what, states[step.name], step.state, allowed, f"{path}.state")
            )
    missing = [name for name in states if name not in seen]
    if missing:
        named = ", ".join(quoted(name) for name in missing[:5])
        violations.append(
            _field_invalid(f"must name every step of the execution; {named} is missing", field)
        )
    return violations


def error_without_failure(error: str, state: int, *, field: str) -> Violation | None:
    """The violation of an error text on a run that has not failed."""
    if not error or state == FAILED:
        return None
    return _field_invalid("may be set only when the state is FAILED", field)


def _invalid(what: str, before: int, after: int, allowed: frozenset[int], field: str) -> Violation:
    names = ", ".join(state_name(state) for state in sorted(allowed))
    may = f"it may become {names}" if allowed else "it has ended and stays as it is"
    return Violation(
        ErrorReason.ERROR_REASON_STATE_TRANSITION_INVALID,
        f"{what} is {state_name(before)} and cannot become {state_name(after)}; {may}",
        field=field,
        metadata={"from": state_name(before), "to": state_name(after)},
    )


def _field_invalid(description: str, field: str) -> Violation:
    return Violation(ErrorReason.ERROR_REASON_FIELD_INVALID, description, field=field)
