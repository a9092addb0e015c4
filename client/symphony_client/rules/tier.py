"""Which tier holds for a user."""

from __future__ import annotations

from typing import Final

from symphony.v1.user_pb2 import Tier, User

_KNOWN: Final = frozenset({Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE})


def determine_user_tier(user: User) -> Tier.ValueType:
    """Returns the tier whose limits the server applies to `user`.

    That is FREE, the smallest, for a user of none, and of one that this version does not know.
    What the limits are is the server's to say (`GetServerInfo`, `GetUserCapabilities`).
    """
    return user.tier if user.tier in _KNOWN else Tier.TIER_FREE
