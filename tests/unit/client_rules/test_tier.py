from __future__ import annotations

import pytest

from symphony.v1.user_pb2 import Tier, User
from symphony_client.rules import determine_user_tier
from symphony_server.rules.tiers import TierTable


@pytest.mark.parametrize(
    "tier", [Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE], ids=Tier.Name
)
def test_a_user_has_its_tier(tier: Tier.ValueType) -> None:
    assert determine_user_tier(User(tier=tier)) == tier


@pytest.mark.parametrize("number", [0, 77, -1])
def test_a_user_of_none_or_an_unknown_one_has_the_smallest(number: int) -> None:
    tier: Tier.ValueType = number  # type: ignore[assignment] # protobuf keeps any number

    assert determine_user_tier(User(tier=tier)) == Tier.TIER_FREE


@pytest.mark.parametrize("number", [*Tier.values(), 77])
def test_the_server_applies_the_same_limits(number: Tier.ValueType) -> None:
    table = TierTable()

    assert table.for_tier(determine_user_tier(User(tier=number))) == table.for_tier(number)
