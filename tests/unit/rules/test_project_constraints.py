from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_server.rules.project_constraints import (
    duration_limit,
    extensions,
    step_limit,
    used_extension_ids,
    workflow_limit,
)
from tests.unit.rules.builders import SECOND, step

NONE = ProjectConstraints()
SPEC = WorkflowSpec(
    steps=[step("a"), step("b", extension_id="extension_1"), step("c", extension_id="extension_2")]
)


def test_a_project_without_constraints_refuses_nothing() -> None:
    assert step_limit(NONE, 1000) is None
    assert duration_limit(NONE, 10**15) is None
    assert workflow_limit(NONE, 10**6, subject="project_1") is None
    assert extensions(NONE, SPEC, {"extension_1", "extension_2"}) == ()


def test_steps_up_to_the_limit_are_allowed() -> None:
    constraints = ProjectConstraints(max_steps_per_workflow=5)
    assert step_limit(constraints, 5) is None
    violation = step_limit(constraints, 6)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_PROJECT_STEP_LIMIT
    assert violation.field == "spec.steps"
    assert violation.metadata == {"limit": "5", "actual": "6"}
    assert violation.description == (
        "the project allows 5 steps in a workflow and this one has 6; split it into several"
        " workflows, or ask an OWNER of the project to change its constraints"
    )


def test_a_duration_up_to_the_limit_is_allowed() -> None:
    constraints = ProjectConstraints(max_estimated_duration=Duration(seconds=60))
    assert duration_limit(constraints, 60 * SECOND) is None
    violation = duration_limit(constraints, 60 * SECOND + 500_000)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_PROJECT_DURATION_LIMIT
    assert violation.field == "estimated_cost.estimated_duration"
    assert violation.metadata == {"limit_seconds": "60", "actual_seconds": "60.5"}
    assert "60 s" in violation.description
    assert "60.5 s" in violation.description


def test_a_project_that_holds_its_limit_takes_no_further_workflow() -> None:
    constraints = ProjectConstraints(max_workflows=2)
    assert workflow_limit(constraints, 1, subject="project_1") is None
    violation = workflow_limit(constraints, 2, subject="project_1")
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_PROJECT_WORKFLOW_LIMIT
    assert violation.subject == "project_1"
    assert violation.metadata == {"limit": "2"}
    assert "allows 2 workflows and holds 2 already" in violation.description


def test_a_project_over_its_limit_says_how_many_it_holds() -> None:
    violation = workflow_limit(ProjectConstraints(max_workflows=2), 7, subject="project_1")
    assert violation is not None
    assert "holds 7 already" in violation.description


def test_an_extension_that_is_not_enabled_is_refused_at_each_step_that_uses_it() -> None:
    spec = WorkflowSpec(steps=[*SPEC.steps, step("d", extension_id="extension_2")])
    violations = extensions(NONE, spec, {"extension_1"})
    assert [violation.reason_name for violation in violations] == ["EXTENSION_NOT_INSTALLED"] * 2
    assert [violation.field for violation in violations] == [
        "spec.steps[2].extension_id",
        "spec.steps[3].extension_id",
    ]
    assert violations[0].metadata == {"extension_id": "extension_2"}
    assert 'step "c" uses extension_2' in violations[0].description


def test_an_extension_that_is_enabled_but_not_listed_is_refused() -> None:
    constraints = ProjectConstraints(allowed_extension_ids=["extension_1"])
    (violation,) = extensions(constraints, SPEC, {"extension_1", "extension_2"})
    assert violation.reason == ErrorReason.ERROR_REASON_PROJECT_EXTENSION_NOT_ALLOWED
    assert violation.field == "spec.steps[2].extension_id"
    assert violation.metadata == {"extension_id": "extension_2"}
    assert 'step "c" uses extension_2' in violation.description


def test_an_extension_neither_enabled_nor_listed_is_refused_for_both() -> None:
    constraints = ProjectConstraints(allowed_extension_ids=["extension_1"])
    violations = extensions(constraints, SPEC, {"extension_1"})
    assert [violation.reason_name for violation in violations] == [
        "EXTENSION_NOT_INSTALLED",
        "PROJECT_EXTENSION_NOT_ALLOWED",
    ]


def test_the_extensions_in_use_are_those_that_steps_name() -> None:
    assert used_extension_ids(SPEC) == {"extension_1", "extension_2"}
    assert used_extension_ids(WorkflowSpec(steps=[step("a")])) == frozenset()
