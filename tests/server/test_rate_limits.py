from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.audit_pb2 import AuditRecord
from symphony.v1.project_service_pb2 import (
    CreateProjectRequest,
    GetProjectRequest,
    ListProjectsRequest,
)
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier, User
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony_server.rpc.request_rates import RequestRates
from tests.server.world import Person, World

BURST = 100
"""What a FREE user may ask at once."""


class Clock:
    """A clock that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.ns = time.monotonic_ns()

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("symphony_server.main.RequestRates", partial(RequestRates, clock_ns=made))
    return made


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A server for which no time passes, as far as rates are concerned."""
    request.getfixturevalue("clock")
    with World(tmp_path) as made:
        yield made


def ask(person: Person) -> None:
    person.get(person.projects.ListProjects, ListProjectsRequest())


def refused(person: Person) -> Any:
    return person.refused(person.projects.ListProjects, ListProjectsRequest())


def use_up(person: Person, burst: int = BURST) -> None:
    for _ in range(burst):
        ask(person)


def test_a_burst_is_served_the_next_request_is_told_to_wait_and_then_served(
    world: World, clock: Clock
) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    use_up(person)

    refusal = refused(person)

    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMITED",
    )
    assert refusal.message == (
        "the tier FREE allows 50 requests a second, and 100 at once after a pause; wait 0.02 s and"
        " spread your calls, or ask an ADMIN for a higher tier"
    )
    assert (refusal.metadata["tier"], refusal.metadata["limit"]) == ("FREE", "50")
    assert refusal.details["QuotaFailure"].violations[0].subject == f"user:{person.id}"
    wait = refusal.details["RetryInfo"].retry_delay
    assert refusal.trailing["grpc-retry-pushback-ms"] == str(wait.ToMilliseconds())
    clock.ns += wait.ToNanoseconds()
    ask(person)
    assert refused(person).reason == "RATE_LIMITED"


@pytest.mark.parametrize("role", [Role.ROLE_ADMIN, Role.ROLE_AUDITOR, Role.ROLE_VIEWER])
def test_every_role_is_held_to_its_tier(world: World, role: Role.ValueType) -> None:
    person = world.user(role, tier=Tier.TIER_FREE)
    use_up(person)
    assert refused(person).reason == "RATE_LIMITED"


def test_one_users_flood_refuses_nobody_else(world: World) -> None:
    flooder, other = world.user(tier=Tier.TIER_FREE), world.user(tier=Tier.TIER_FREE)
    use_up(flooder)
    assert refused(flooder).reason == "RATE_LIMITED"
    ask(other)


def test_calls_on_behalf_of_a_user_are_that_users(world: World) -> None:
    conductor = world.user(Role.ROLE_SERVICE, tier=Tier.TIER_FREE)
    one, other = world.user(tier=Tier.TIER_FREE), world.user(tier=Tier.TIER_FREE)

    use_up(conductor.acting_as(one.id))

    assert refused(conductor.acting_as(one.id)).reason == "RATE_LIMITED"
    assert refused(one).reason == "RATE_LIMITED"
    ask(conductor.acting_as(other.id))
    ask(conductor)


def test_all_tokens_of_a_user_share_its_burst(world: World) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    second = Person(person.channel, world.token(person.id), person.user)
    use_up(person, BURST // 2)
    use_up(second, BURST // 2)
    assert refused(person).reason == "RATE_LIMITED"
    assert refused(second).reason == "RATE_LIMITED"


def test_a_transaction_is_one_request_whatever_it_holds(world: World) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    operations = [
        TransactionOperation(create_project=CreateProjectRequest(name=f"project {n}"))
        for n in range(50)
    ]
    person.get(
        person.transactions.ExecuteTransaction, ExecuteTransactionRequest(operations=operations)
    )
    use_up(person, BURST - 1)
    assert refused(person).reason == "RATE_LIMITED"


def test_a_wrong_request_counts_and_beyond_the_limit_is_not_even_read(world: World) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    asked = (person.projects.GetProject, GetProjectRequest(id="not an id"))
    for _ in range(BURST):
        assert person.refused(*asked).reason == "FIELD_INVALID"
    assert person.refused(*asked).reason == "RATE_LIMITED"


def test_what_anybody_may_ask_is_not_counted(world: World) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    use_up(person)
    for _ in range(BURST):
        person.get(person.info.GetServerInfo, GetServerInfoRequest())


def test_a_higher_tier_holds_from_the_next_call_on(world: World, clock: Clock) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    use_up(person)
    raised = UpdateUserRequest(user=User(id=person.id, tier=Tier.TIER_PRO))
    raised.update_mask.paths.append("tier")
    world.admin.get(world.admin.users.UpdateUser, raised)
    assert refused(person).metadata["tier"] == "PRO"
    clock.ns += 2_000_000_000
    use_up(person, 400)
    assert refused(person).reason == "RATE_LIMITED"


@pytest.mark.usefixtures("clock")
def test_a_flood_leaves_few_records_that_count_it_whole(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        person = world.user(tier=Tier.TIER_FREE)
        use_up(person)
        started = time.monotonic()
        refusals = [refused(person) for _ in range(200)]
        seconds = time.monotonic() - started
    records = world.audit(of_reason("RATE_LIMITED"))
    assert sum(record.count for record in records) == 200
    assert len(records) <= 2 * (seconds + 1)
    assert {record.user_id for record in records} == {person.id}
    assert records[0].decision_id == refusals[0].metadata["decision_id"]


@pytest.mark.usefixtures("clock")
def test_floods_of_two_users_are_counted_apart(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        people = [world.user(tier=Tier.TIER_FREE) for _ in range(2)]
        for person in people:
            use_up(person)
            assert [refused(person).reason for _ in range(10)] == ["RATE_LIMITED"] * 10
    for person in people:
        records = world.audit(of_reason("RATE_LIMITED"))
        assert sum(r.count for r in records if r.user_id == person.id) == 10


def of_reason(reason: str) -> Callable[[AuditRecord], bool]:
    return lambda record: record.reason == reason


def test_the_limits_are_those_that_were_set(tmp_path: Path, clock: Clock) -> None:
    tiers = {"free": {"requests_per_second": 3, "request_burst": 2}}
    with World(tmp_path, tiers=tiers) as world:
        person = world.user(tier=Tier.TIER_FREE)
        use_up(person, 2)
        refusal = refused(person)
        # A third of a second, up to the millisecond.
        assert refusal.details["RetryInfo"].retry_delay.ToMilliseconds() == 334
        clock.ns += 334_000_000
        ask(person)


@pytest.mark.usefixtures("clock")
def test_without_rate_limits_nobody_is_refused_and_none_are_told(
    tmp_path: Path,
) -> None:
    with World(tmp_path, rate_limits=False) as world:
        person = world.user(tier=Tier.TIER_FREE)
        use_up(person, 3 * BURST)
        told = person.get(person.info.GetServerInfo, GetServerInfoRequest()).limits.tiers
    assert {(tier.requests_per_second, tier.request_burst) for tier in told} == {(0, 0)}
    assert told[0].max_workflows == 10
