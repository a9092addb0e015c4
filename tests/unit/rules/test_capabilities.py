from __future__ import annotations

import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import CapabilityDenial, Role, Tier, UserCapabilities
from symphony_server.rules.tiers import TierTable, capabilities

TABLE = TierTable()


def capabilities_of(
    *roles: Role.ValueType, tier: Tier.ValueType = Tier.TIER_FREE, used: int = 0
) -> UserCapabilities:
    return capabilities(user_id="user_1", tier=tier, roles=roles, workflows_used=used, table=TABLE)


def denials(of: UserCapabilities) -> list[tuple[str, str]]:
    return [(denial.permission, denial.reason) for denial in of.denials]


@pytest.mark.parametrize("role", [Role.ROLE_DEVELOPER, Role.ROLE_ADMIN])
def test_a_developer_and_an_admin_can_create_and_install(role: Role.ValueType) -> None:
    can = capabilities_of(role)
    assert can.can_create_workflows
    assert can.can_install_extensions
    assert not can.denials


@pytest.mark.parametrize("roles", [(), (Role.ROLE_VIEWER, Role.ROLE_AUDITOR, Role.ROLE_SERVICE)])
def test_other_roles_can_neither(roles: tuple[Role.ValueType, ...]) -> None:
    can = capabilities_of(*roles)
    assert not can.can_create_workflows
    assert not can.can_install_extensions
    assert denials(can) == [
        ("workflows.create", "ROLE_REQUIRED"),
        ("extensions.install", "ROLE_REQUIRED"),
    ]
    assert (
        can.denials[0].description == "this needs the role DEVELOPER or ADMIN; ask an ADMIN for it"
    )


def test_at_the_workflow_limit_extensions_can_still_be_installed() -> None:
    can = capabilities_of(Role.ROLE_DEVELOPER, used=10)
    assert not can.can_create_workflows
    assert can.can_install_extensions
    assert denials(can) == [("workflows.create", "TIER_WORKFLOW_LIMIT")]
    assert can.denials[0].description.startswith("the tier FREE allows 10 workflows")


def test_everything_that_stands_in_the_way_is_told() -> None:
    assert denials(capabilities_of(Role.ROLE_VIEWER, used=10)) == [
        ("workflows.create", "ROLE_REQUIRED"),
        ("workflows.create", "TIER_WORKFLOW_LIMIT"),
        ("extensions.install", "ROLE_REQUIRED"),
    ]


def test_the_limits_of_the_tier_are_told() -> None:
    can = capabilities_of(Role.ROLE_DEVELOPER, tier=Tier.TIER_PRO, used=7)
    assert (can.user_id, can.tier, can.workflows_used) == ("user_1", Tier.TIER_PRO, 7)
    assert (can.max_workflows, can.max_workflow_steps) == (200, 100)
    assert can.max_estimated_duration.seconds == 4 * 60 * 60


def test_enterprise_is_told_the_contracts_steps_and_no_other_limit() -> None:
    can = capabilities_of(Role.ROLE_DEVELOPER, tier=Tier.TIER_ENTERPRISE, used=10**6)
    assert can.can_create_workflows
    assert (can.max_workflows, can.max_workflow_steps) == (0, 1000)
    assert not can.HasField("max_estimated_duration")


def test_denials_name_reasons_of_the_contract() -> None:
    can = capabilities_of(used=10)
    for denial in can.denials:
        assert isinstance(denial, CapabilityDenial)
        assert ErrorReason.Value(f"ERROR_REASON_{denial.reason}")
