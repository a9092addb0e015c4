from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.user_pb2 import Tier
from symphony_server.rpc.request_rates import SECOND_NS, SWEEP_NS, OwnBuckets, RequestRates
from symphony_server.rules.tiers import TierTable

FREE, PRO, ENTERPRISE = Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE
UNKNOWN_TIER = 99


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.ns = 10**15

    def __call__(self) -> int:
        return self.ns


def rates_of(clock: Clock, rate: int | None, burst: int) -> RequestRates:
    free = {"requests_per_second": rate, "request_burst": burst}
    return RequestRates(TierTable.model_validate({"free": free}), OwnBuckets(), clock)


def taken(rates: RequestRates, user: str = "a", tier: int = FREE) -> bool:
    return rates.take(user, tier) == 0


rates_and_bursts = st.tuples(st.integers(1, 2000), st.integers(1, 50))
pauses_ns = st.lists(
    st.one_of(st.just(0), st.integers(0, 10**7), st.integers(0, 3 * SECOND_NS)), max_size=120
)


@given(rates_and_bursts, pauses_ns)
def test_no_window_holds_more_than_the_burst_and_what_the_rate_adds(
    limits: tuple[int, int], pauses: list[int]
) -> None:
    rate, burst = limits
    clock = Clock()
    rates = rates_of(clock, rate, burst)
    moments = []
    for pause in pauses:
        clock.ns += pause
        if taken(rates):
            moments.append(clock.ns)
    for first, begin in enumerate(moments):
        for count, end in enumerate(moments[first:], 1):
            assert (count - burst) * SECOND_NS <= rate * (end - begin)


@given(rates_and_bursts, pauses_ns)
def test_a_refused_user_who_waits_as_long_as_told_is_served_and_not_before(
    limits: tuple[int, int], pauses: list[int]
) -> None:
    clock = Clock()
    rates = rates_of(clock, *limits)
    for pause in pauses:
        clock.ns += pause
        wait = rates.take("a", FREE)
        if wait:
            clock.ns += wait - 1
            assert rates.take("a", FREE) == 1
            clock.ns += 1
            assert taken(rates)


@given(rates_and_bursts)
def test_after_a_pause_the_whole_burst_is_there_again_and_no_more(limits: tuple[int, int]) -> None:
    rate, burst = limits
    clock = Clock()
    rates = rates_of(clock, rate, burst)
    for _ in range(2):
        assert [taken(rates) for _ in range(burst + 1)] == [True] * burst + [False]
        clock.ns += burst * (SECOND_NS // rate + 1)


def test_a_refused_request_costs_nothing() -> None:
    clock = Clock()
    rates = rates_of(clock, 10, 1)
    assert taken(rates)
    assert {rates.take("a", FREE) for _ in range(1000)} == {SECOND_NS // 10}


def test_each_user_has_a_burst_of_its_own() -> None:
    rates = rates_of(Clock(), 1, 3)
    assert [taken(rates, "a") for _ in range(4)] == [True, True, True, False]
    assert [taken(rates, "b") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("tier", "burst"), [(FREE, 100), (PRO, 400), (ENTERPRISE, 2000), (UNKNOWN_TIER, 100)]
)
def test_a_tier_has_its_own_burst_and_an_unknown_one_that_of_free(tier: int, burst: int) -> None:
    rates = RequestRates(TierTable(), OwnBuckets(), Clock())
    assert [taken(rates, "a", tier) for _ in range(burst + 1)] == [True] * burst + [False]


def test_a_user_whose_tier_changes_does_not_get_a_new_burst() -> None:
    clock = Clock()
    rates = RequestRates(TierTable(), OwnBuckets(), clock)
    while taken(rates, "a", FREE):
        pass
    assert not taken(rates, "a", PRO)
    clock.ns += SECOND_NS // 200
    assert taken(rates, "a", PRO)


def test_a_tier_without_a_rate_is_not_counted() -> None:
    rates = rates_of(Clock(), None, 1)
    assert all(taken(rates) for _ in range(10_000))


def test_users_whose_burst_is_whole_again_are_forgotten() -> None:
    clock = Clock()
    buckets = OwnBuckets()
    rates = RequestRates(TierTable(), buckets, clock)
    for second in range(100):
        for number in range(50):
            assert taken(rates, f"user {second} {number}")
        clock.ns += SECOND_NS
        assert len(buckets) <= 50 * (SWEEP_NS // SECOND_NS + 1)
    clock.ns += SWEEP_NS
    assert taken(rates, "the only one")
    assert len(buckets) == 1


def test_who_is_still_short_is_not_forgotten() -> None:
    clock = Clock()
    rates = rates_of(clock, 1, 60)
    assert [taken(rates) for _ in range(61)] == [True] * 60 + [False]
    clock.ns += SWEEP_NS
    assert [taken(rates) for _ in range(11)] == [True] * 10 + [False]


def test_a_request_costs_microseconds_even_with_very_many_users() -> None:
    rates = RequestRates(TierTable(), OwnBuckets())
    users = [f"user_{number:026}" for number in range(100_000)]
    started = time.perf_counter()
    for user in users:
        rates.take(user, PRO)
    assert (time.perf_counter() - started) / len(users) < 100e-6
