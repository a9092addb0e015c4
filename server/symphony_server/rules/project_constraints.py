"""What a project asks of the workflows in it; a constraint of 0 or none at all asks nothing."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_server.refusal import Violation
from symphony_server.rules.estimates import duration_us, seconds_text
from symphony_server.rules.names import quoted

_REMEDY: Final = "or ask an OWNER of the project to change its constraints"


def step_limit(constraints: ProjectConstraints, steps: int) -> Violation | None:
    """The violation of a workflow with that many steps."""
    limit = constraints.max_steps_per_workflow
    if not limit or steps <= limit:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_PROJECT_STEP_LIMIT,
        f"the project allows {limit} steps in a workflow and this one has {steps};"
        f" split it into several workflows, {_REMEDY}",
        field="spec.steps",
        metadata={"limit": str(limit), "actual": str(steps)},
    )


def duration_limit(constraints: ProjectConstraints, length_us: int) -> Violation | None:
    """The violation of a workflow that is estimated, or computed, to run that long."""
    limit_us = duration_us(constraints.max_estimated_duration)
    if not limit_us or length_us <= limit_us:
        return None
    limit, actual = seconds_text(limit_us), seconds_text(length_us)
    return Violation(
        ErrorReason.ERROR_REASON_PROJECT_DURATION_LIMIT,
        f"the project allows workflows of {limit} s and this one is estimated to run {actual} s;"
        f" shorten or split it, {_REMEDY}",
        field="estimated_cost.estimated_duration",
        metadata={"limit_seconds": limit, "actual_seconds": actual},
    )


def workflow_limit(constraints: ProjectConstraints, held: int, *, subject: str) -> Violation | None:
    """The violation of one workflow more than those the project holds."""
    limit = constraints.max_workflows
    if not limit or held < limit:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_PROJECT_WORKFLOW_LIMIT,
        f"the project allows {limit} workflows and holds {held} already; delete one, {_REMEDY}",
        subject=subject,
        metadata={"limit": str(limit)},
    )


def used_extension_ids(spec: WorkflowSpec) -> frozenset[str]:
    """The extensions that steps use: those whose state `extensions` has to be told."""
    return frozenset(step.extension_id for step in spec.steps[:]) - {""}


def extensions(
    constraints: ProjectConstraints, spec: WorkflowSpec, enabled_ids: Container[str]
) -> tuple[Violation, ...]:
    """Each use of an extension that is not both enabled in the project and allowed by it.

    `enabled_ids` are those installed and enabled in the project, at least of the ones used.
    """
    allowed_ids = frozenset(constraints.allowed_extension_ids)
    violations = []
    for position, step in enumerate(spec.steps[:]):
        extension_id = step.extension_id
        if not extension_id:
            continue
        if extension_id not in enabled_ids:
            violations.append(_not_installed(position, step.name, extension_id))
        if allowed_ids and extension_id not in allowed_ids:
            violations.append(_not_allowed(position, step.name, extension_id))
    return tuple(violations)


def _not_installed(position: int, step: str, extension_id: str) -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_EXTENSION_NOT_INSTALLED,
        f"step {quoted(step)} uses {extension_id}, which is not installed, or not enabled, in the"
        " project; install or enable it, or use another",
        field=f"spec.steps[{position}].extension_id",
        subject=extension_id,
        metadata={"extension_id": extension_id},
    )


def _not_allowed(position: int, step: str, extension_id: str) -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_PROJECT_EXTENSION_NOT_ALLOWED,
        f"step {quoted(step)} uses {extension_id}, which the project's constraints do not list;"
        f" use another, {_REMEDY}",
        field=f"spec.steps[{position}].extension_id",
        subject=extension_id,
        metadata={"extension_id": extension_id},
    )
