"""How many requests each user has made of late, and how many it may make now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from symphony.v1.user_pb2 import Tier
from symphony_server.rules.tiers import TierLimits, TierTable

SECOND_NS: Final = 1_000_000_000
SWEEP_NS: Final = 10 * SECOND_NS
"""How often users whose burst is whole again are forgotten."""


class Buckets(Protocol):
    """Where the users' buckets are: each is the moment at which it will be full again, in
    nanoseconds on the monotonic clock, which all processes of a machine share.
    """

    def take_up(self, user_id: str, now_ns: int) -> int:
        """When a user's bucket will be full again; 0, or what is past, if it is. No other caller
        has it until `put_down`, which must follow.
        """

    def put_down(self, full_at_ns: int) -> None:
        """Change the bucket that was taken up; with 0 it stays as it was."""


class OwnBuckets:
    """Buckets of one process. Full ones are not kept: memory is bounded by the users who called
    in the last ten seconds or whose burst is not whole again.
    """

    def __init__(self) -> None:
        self._full_at_ns: dict[str, int] = {}
        self._sweep_at_ns = 0
        self._user_id = ""

    def __len__(self) -> int:
        """How many users are kept in mind."""
        return len(self._full_at_ns)

    def take_up(self, user_id: str, now_ns: int) -> int:
        """See `Buckets`."""
        if now_ns >= self._sweep_at_ns:
            self._sweep(now_ns)
        self._user_id = user_id
        return self._full_at_ns.get(user_id, 0)

    def put_down(self, full_at_ns: int) -> None:
        """See `Buckets`."""
        if full_at_ns:
            self._full_at_ns[self._user_id] = full_at_ns

    def _sweep(self, now_ns: int) -> None:
        self._sweep_at_ns = now_ns + SWEEP_NS
        self._full_at_ns = {
            user_id: full_at_ns
            for user_id, full_at_ns in self._full_at_ns.items()
            if full_at_ns > now_ns
        }


class RequestRates:
    """A token bucket a user; lives on the event loop's thread.

    A bucket is kept as the moment at which it will be full again (the generic cell rate
    algorithm, as in ATM Forum TM 4.0), in whole nanoseconds so that nothing is rounded in a
    caller's favour.

    With another tier a user takes over how many seconds its bucket lacks.
    """

    def __init__(
        self,
        table: TierTable,
        buckets: Buckets,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take the limits of the tiers, the users' buckets, and a clock that never goes back."""
        self._buckets = buckets
        self._clock_ns = clock_ns
        self._default = _interval_and_depth(table.free)
        self._rates: dict[int, tuple[int, int]] = {
            tier: _interval_and_depth(table.for_tier(tier))
            for tier in (Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE)
        }

    def take(self, user_id: str, tier: int) -> int:
        """Count one more request of a user: 0 if it is allowed, else the nanoseconds after
        which one will be. A request that is not allowed costs nothing.
        """
        interval_ns, depth_ns = self._rates.get(tier, self._default)
        if not interval_ns:
            return 0
        now_ns = self._clock_ns()
        full_at_ns = max(self._buckets.take_up(user_id, now_ns), now_ns) + interval_ns
        wait_ns = max(full_at_ns - depth_ns - now_ns, 0)
        self._buckets.put_down(0 if wait_ns else full_at_ns)
        return wait_ns


def _interval_and_depth(limits: TierLimits) -> tuple[int, int]:
    """Nanoseconds from one request to the next, and those that a whole burst stands for."""
    if limits.requests_per_second is None:
        return 0, 0
    interval_ns = -(-SECOND_NS // limits.requests_per_second)
    return interval_ns, interval_ns * limits.request_burst
