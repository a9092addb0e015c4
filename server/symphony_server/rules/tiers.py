"""Tiers: how much of what a user may use, and what that lets a user do now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import (
    TIER_ENTERPRISE,
    TIER_PRO,
    CapabilityDenial,
    Role,
    Tier,
    UserCapabilities,
)
from symphony_server.refusal import Violation
from symphony_server.rules.estimates import MAX_ESTIMATED_SECONDS, US_PER_SECOND, seconds_text

CONTRACT_MAX_STEPS: Final = 1000
"""The contract's `max_items` of a workflow's steps, which no tier goes beyond."""

_TIER_NAMES: Final[Mapping[int, str]] = {
    Tier.TIER_FREE: "FREE",
    Tier.TIER_PRO: "PRO",
    Tier.TIER_ENTERPRISE: "ENTERPRISE",
}

MAKERS: Final = frozenset({Role.ROLE_DEVELOPER, Role.ROLE_ADMIN})
"""The roles of which one is needed to create workflows and install extensions."""

_REMEDY: Final = "or ask an ADMIN for a higher tier"


class TierLimits(BaseModel):
    """What a user of a tier may use; None means no limit but the contract's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_workflows: PositiveInt | None
    """How many workflows a user may own."""
    max_workflow_steps: Annotated[int, Field(ge=1, le=CONTRACT_MAX_STEPS)] | None
    """How many steps a workflow may have."""
    max_estimated_duration_seconds: Annotated[int, Field(ge=1, le=MAX_ESTIMATED_SECONDS)] | None
    """How long a workflow may be estimated to run."""
    max_extensions: PositiveInt | None
    """How many extensions a project may have."""
    requests_per_second: PositiveInt | None
    """How many requests a second a user may make."""
    request_burst: PositiveInt
    """How many requests a user may make at once before that rate holds; where there is none,
    it says nothing."""


_DEFAULTS: Final[Mapping[str, TierLimits]] = {
    "free": TierLimits(
        max_workflows=10,
        max_workflow_steps=10,
        max_estimated_duration_seconds=10 * 60,
        max_extensions=3,
        requests_per_second=50,
        request_burst=100,
    ),
    "pro": TierLimits(
        max_workflows=200,
        max_workflow_steps=100,
        max_estimated_duration_seconds=4 * 60 * 60,
        max_extensions=50,
        requests_per_second=200,
        request_burst=400,
    ),
    "enterprise": TierLimits(
        max_workflows=None,
        max_workflow_steps=None,
        max_estimated_duration_seconds=None,
        max_extensions=None,
        requests_per_second=1000,
        request_burst=2000,
    ),
}


class TierTable(BaseModel):
    """The limits of every tier. A limit that is not given is the tier's default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    free: TierLimits = _DEFAULTS["free"]
    pro: TierLimits = _DEFAULTS["pro"]
    enterprise: TierLimits = _DEFAULTS["enterprise"]

    @field_validator("free", "pro", "enterprise", mode="before")
    @classmethod
    def _complete(cls, given: Any, info: ValidationInfo) -> Any:
        """Lets settings name only what differs: `{"free": {"max_workflows": 20}}`."""
        if isinstance(given, Mapping) and info.field_name:
            return {**_DEFAULTS[info.field_name].model_dump(), **given}
        return given

    def without_rates(self) -> TierTable:
        """The same limits without any on requests a second."""
        return TierTable(
            **{
                name: limits.model_copy(update={"requests_per_second": None})
                for name, limits in self
            }
        )

    def for_tier(self, tier: int) -> TierLimits:
        """The limits of the tier; those of FREE, the smallest, for one that is not known."""
        if tier == TIER_PRO:
            return self.pro
        if tier == TIER_ENTERPRISE:
            return self.enterprise
        return self.free


def workflow_limit(table: TierTable, tier: int, owned: int, *, subject: str) -> Violation | None:
    """The violation of one workflow more than the `owned` ones."""
    limit = table.for_tier(tier).max_workflows
    if limit is None or owned < limit:
        return None
    name = tier_name(tier)
    return Violation(
        ErrorReason.ERROR_REASON_TIER_WORKFLOW_LIMIT,
        f"the tier {name} allows {limit} workflows and {owned} are owned already; delete one,"
        f" {_REMEDY}",
        subject=subject,
        metadata={"tier": name, "limit": str(limit)},
    )


def extension_limit(
    table: TierTable, tier: int, installed: int, *, subject: str
) -> Violation | None:
    """The violation of one extension more than those `installed` in the project."""
    limit = table.for_tier(tier).max_extensions
    if limit is None or installed < limit:
        return None
    name = tier_name(tier)
    return Violation(
        ErrorReason.ERROR_REASON_TIER_EXTENSION_LIMIT,
        f"the tier {name} allows {limit} extensions in a project and {installed} are installed"
        f" already; uninstall one, {_REMEDY}",
        subject=subject,
        metadata={"tier": name, "limit": str(limit)},
    )


def request_rate(
    table: TierTable, tier: int, retry_after_seconds: float, *, subject: str
) -> Violation:
    """The violation of a request more than the tier's rate and burst allow at this moment."""
    limits, name = table.for_tier(tier), tier_name(tier)
    remedy = "" if tier == TIER_ENTERPRISE else f", {_REMEDY}"
    return Violation(
        ErrorReason.ERROR_REASON_RATE_LIMITED,
        f"the tier {name} allows {limits.requests_per_second} requests a second, and"
        f" {limits.request_burst} at once after a pause; wait {retry_after_seconds:g} s and"
        f" spread your calls{remedy}",
        subject=subject,
        metadata={"tier": name, "limit": str(limits.requests_per_second)},
    )


def step_limit(table: TierTable, tier: int, steps: int) -> Violation | None:
    """The violation of a workflow with that many steps."""
    limit = table.for_tier(tier).max_workflow_steps
    if limit is None or steps <= limit:
        return None
    name = tier_name(tier)
    return Violation(
        ErrorReason.ERROR_REASON_TIER_STEP_LIMIT,
        f"the tier {name} allows {limit} steps in a workflow and this one has {steps};"
        f" split it into several workflows, {_REMEDY}",
        field="spec.steps",
        metadata={"tier": name, "limit": str(limit), "actual": str(steps)},
    )


def duration_limit(table: TierTable, tier: int, duration_us: int) -> Violation | None:
    """The violation of a workflow that is estimated, or computed, to run that long."""
    limit = table.for_tier(tier).max_estimated_duration_seconds
    if limit is None or duration_us <= limit * US_PER_SECOND:
        return None
    name, actual = tier_name(tier), seconds_text(duration_us)
    return Violation(
        ErrorReason.ERROR_REASON_TIER_DURATION_LIMIT,
        f"the tier {name} allows workflows of {limit} s and this one is estimated to run"
        f" {actual} s; shorten or split it, {_REMEDY}",
        field="estimated_cost.estimated_duration",
        metadata={"tier": name, "limit_seconds": str(limit), "actual_seconds": actual},
    )


def tier_name(tier: int) -> str:
    """The tier without its prefix, `PRO`; `FREE` for one that is not known, as its limits are."""
    return _TIER_NAMES.get(tier, "FREE")


def capabilities(
    *,
    user_id: str,
    tier: Tier.ValueType,
    roles: Collection[int],
    workflows_used: int,
    table: TierTable,
) -> UserCapabilities:
    """What a user can do now, with a denial for each thing that stands in the way of the rest.

    Tells nothing about projects: in which of them, their constraints and members say.
    """
    limits = table.for_tier(tier)
    no_role = None if MAKERS.intersection(roles) else _role_required()
    at_limit = workflow_limit(table, tier, workflows_used, subject=f"user:{user_id}")
    result = UserCapabilities(
        user_id=user_id,
        tier=tier,
        can_create_workflows=no_role is None and at_limit is None,
        can_install_extensions=no_role is None,
        max_workflows=limits.max_workflows or 0,
        workflows_used=workflows_used,
        max_workflow_steps=limits.max_workflow_steps or CONTRACT_MAX_STEPS,
        denials=[
            CapabilityDenial(
                permission=permission,
                reason=violation.reason_name,
                description=violation.description,
            )
            for permission, violation in (
                ("workflows.create", no_role),
                ("workflows.create", at_limit),
                ("extensions.install", no_role),
            )
            if violation is not None
        ],
    )
    if limits.max_estimated_duration_seconds is not None:
        result.max_estimated_duration.seconds = limits.max_estimated_duration_seconds
    return result


def _role_required() -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_ROLE_REQUIRED,
        "this needs the role DEVELOPER or ADMIN; ask an ADMIN for it",
        metadata={"roles": "DEVELOPER,ADMIN"},
    )
