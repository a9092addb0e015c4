from __future__ import annotations

import pytest
from pydantic import ValidationError

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import Tier
from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_server.refusal import Violation
from symphony_server.rules.tiers import (
    CONTRACT_MAX_STEPS,
    TierTable,
    duration_limit,
    extension_limit,
    request_rate,
    step_limit,
    tier_name,
    workflow_limit,
)
from tests.unit.rules.builders import SECOND

TABLE = TierTable()
FREE, PRO, ENTERPRISE = Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE


@pytest.mark.parametrize(
    ("tier", "limits"),
    [
        (FREE, (10, 10, 600, 3, 50, 100)),
        (PRO, (200, 100, 14400, 50, 200, 400)),
        (ENTERPRISE, (None, None, None, None, 1000, 2000)),
    ],
    ids=["FREE", "PRO", "ENTERPRISE"],
)
def test_the_defaults_are_those_of_the_design(
    tier: Tier.ValueType, limits: tuple[int | None, ...]
) -> None:
    assert tuple(TABLE.for_tier(tier).model_dump().values()) == limits


@pytest.mark.parametrize("tier", [Tier.TIER_UNSPECIFIED, 99])
def test_a_tier_that_is_not_known_has_the_smallest_limits(tier: int) -> None:
    assert TABLE.for_tier(tier) == TABLE.free
    assert tier_name(tier) == "FREE"


def test_every_tier_of_the_contract_has_its_name_and_limits() -> None:
    for value in Tier.values()[1:]:
        name = Tier.Name(value).removeprefix("TIER_")
        assert tier_name(value) == name
        assert TABLE.for_tier(value) is getattr(TABLE, name.lower())


def test_settings_need_to_name_only_what_differs() -> None:
    table = TierTable.model_validate(
        {"free": {"max_workflows": 20}, "pro": {"max_extensions": None}}
    )
    assert table.free.max_workflows == 20
    assert table.free.max_workflow_steps == 10
    assert table.pro.max_extensions is None
    assert table.enterprise == TABLE.enterprise
    assert TierTable(free=table.free).free == table.free


@pytest.mark.parametrize(
    "limits",
    [
        {"max_workflows": 0},
        {"max_workflow_steps": 1001},
        {"max_estimated_duration_seconds": 315_576_001},
        {"requests_per_second": 0},
        {"request_burst": None},
        {"max_worflows": 5},
        7,
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: object) -> None:
    with pytest.raises(ValidationError):
        TierTable.model_validate({"free": limits})


def test_limits_do_not_change_while_serving() -> None:
    with pytest.raises(ValidationError):
        TABLE.free.max_workflows = 11  # type: ignore[misc]


def test_the_most_steps_of_any_tier_are_the_contracts() -> None:
    rules = str(WorkflowSpec.DESCRIPTOR.fields_by_name["steps"].GetOptions())
    assert f"max_items: {CONTRACT_MAX_STEPS}" in rules


def test_the_last_workflow_of_a_tier_is_allowed_and_no_more() -> None:
    assert workflow_limit(TABLE, FREE, 9, subject="user:1") is None
    violation = workflow_limit(TABLE, FREE, 10, subject="user:1")
    assert violation == Violation(
        ErrorReason.ERROR_REASON_TIER_WORKFLOW_LIMIT,
        "the tier FREE allows 10 workflows and 10 are owned already; delete one,"
        " or ask an ADMIN for a higher tier",
        subject="user:1",
        metadata={"tier": "FREE", "limit": "10"},
    )


def test_the_last_extension_of_a_tier_is_allowed_and_no_more() -> None:
    assert extension_limit(TABLE, PRO, 49, subject="project:1") is None
    violation = extension_limit(TABLE, PRO, 50, subject="project:1")
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_TIER_EXTENSION_LIMIT
    assert violation.subject == "project:1"
    assert violation.metadata == {"tier": "PRO", "limit": "50"}
    assert "allows 50 extensions in a project and 50 are installed" in violation.description


def test_steps_up_to_the_tiers_limit_are_allowed() -> None:
    assert step_limit(TABLE, FREE, 10) is None
    violation = step_limit(TABLE, FREE, 11)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_TIER_STEP_LIMIT
    assert violation.field == "spec.steps"
    assert violation.metadata == {"tier": "FREE", "limit": "10", "actual": "11"}
    assert "allows 10 steps in a workflow and this one has 11" in violation.description


def test_a_duration_up_to_the_tiers_limit_is_allowed() -> None:
    assert duration_limit(TABLE, FREE, 600 * SECOND) is None
    violation = duration_limit(TABLE, FREE, 600 * SECOND + 1)
    assert violation is not None
    assert violation.reason == ErrorReason.ERROR_REASON_TIER_DURATION_LIMIT
    assert violation.field == "estimated_cost.estimated_duration"
    assert violation.metadata == {
        "tier": "FREE",
        "limit_seconds": "600",
        "actual_seconds": "600.000001",
    }
    assert "of 600 s and this one is estimated to run 600.000001 s" in violation.description


def test_a_request_too_many_says_what_is_allowed_and_how_long_to_wait() -> None:
    assert request_rate(TABLE, FREE, 0.02, subject="user:1") == Violation(
        ErrorReason.ERROR_REASON_RATE_LIMITED,
        "the tier FREE allows 50 requests a second, and 100 at once after a pause; wait 0.02 s and"
        " spread your calls, or ask an ADMIN for a higher tier",
        subject="user:1",
        metadata={"tier": "FREE", "limit": "50"},
    )


def test_nobody_is_sent_for_a_tier_above_the_highest() -> None:
    violation = request_rate(TABLE, ENTERPRISE, 1.5, subject="user:1")
    assert violation.description.endswith("wait 1.5 s and spread your calls")


def test_without_rates_every_other_limit_stays() -> None:
    without = TABLE.without_rates()
    for tier in (FREE, PRO, ENTERPRISE):
        assert without.for_tier(tier).requests_per_second is None
        kept = without.for_tier(tier).model_dump(exclude={"requests_per_second"})
        assert kept == TABLE.for_tier(tier).model_dump(exclude={"requests_per_second"})


def test_enterprise_has_no_limits_but_the_contracts() -> None:
    assert workflow_limit(TABLE, ENTERPRISE, 10**9, subject="user:1") is None
    assert extension_limit(TABLE, ENTERPRISE, 10**9, subject="project:1") is None
    assert step_limit(TABLE, ENTERPRISE, 1000) is None
    assert duration_limit(TABLE, ENTERPRISE, 10**15) is None
