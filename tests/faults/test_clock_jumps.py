"""What a server does when its wall clock is set, by an hour forwards or backwards, as it serves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.access_service_pb2 import CreateTokenRequest, ListTokensRequest, WhoAmIRequest
from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.user_pb2 import Tier
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from tests.e2e.place import Place
from tests.e2e.processes import Server, symphony
from tests.faults.shifted_clock import FakedClock, ShiftedClock, faketime_library
from tests.server.follower import begun, until, watching
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.load import records
from tests.server.world import Person, World, read_refusal

HOUR: Final = 3600
DAY: Final = 24 * HOUR
JUMPS: Final = (HOUR, -HOUR)
"""Seconds from the true time, one after the other."""
FREE_BURST: Final = 100


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ShiftedClock:
    made = ShiftedClock()
    made.install(monkeypatch)
    return made


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "keys.json")


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest, provider: Provider) -> Iterator[World]:
    """A server that reads the clock that can be set."""
    request.getfixturevalue("clock")
    with World(
        tmp_path, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=str(provider.path)
    ) as made:
        yield made


def who(person: Person) -> Any:
    return person.get(person.access.WhoAmI, WhoAmIRequest())


def sharing(workflow: Workflow) -> UpdateWorkflowRequest:
    changed = Workflow(id=workflow.id, shared=not workflow.shared, etag=workflow.etag)
    return UpdateWorkflowRequest(workflow=changed, update_mask=FieldMask(paths=["shared"]))


def test_revisions_audit_log_and_ids_go_on_as_if_nothing_was(
    world: World, clock: ShiftedClock
) -> None:
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        first = begun(call)
        made = []
        for shift in (0, *JUMPS):
            clock.shift_seconds = shift
            for _ in range(20):
                answer = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
                made.append(answer)
        told = until(call, made[-1].revision)
    assert [answer.revision for answer in made] == list(range(first + 1, first + 61))
    assert [(c.revision, c.resource_id) for c in told] == [
        (answer.revision, answer.response.id) for answer in made
    ]
    assert len({answer.response.id for answer in made}) == len(made)
    hours = {answer.response.create_time.seconds // 1800 for answer in made}
    assert len(hours) >= 3  # the clock was set, and the times of what is made are its own
    assert len(world.audit()) == records(world)


def test_an_etag_never_comes_back_and_update_times_only_grow(
    world: World, clock: ShiftedClock
) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    seen = [workflow]
    for shift in (*JUMPS, 0):
        clock.shift_seconds = shift
        for _ in range(2):
            seen.append(owner.get(owner.workflows.UpdateWorkflow, sharing(seen[-1])))
    times = [each.update_time.ToNanoseconds() for each in seen]
    assert times == sorted(set(times))
    for stale in seen[:-1]:
        refusal = owner.refused(owner.workflows.UpdateWorkflow, sharing(stale))
        assert refusal.reason == "ETAG_MISMATCH"


def test_a_run_never_ends_before_it_began(world: World, clock: ShiftedClock) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    execution = owner.get(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    clock.shift_seconds = HOUR
    running = Execution(id=execution.id, state=ExecutionState.EXECUTION_STATE_RUNNING)
    request = UpdateExecutionRequest(execution=running, update_mask=FieldMask(paths=["state"]))
    world.admin.get(world.admin.executions.UpdateExecution, request)
    clock.shift_seconds = -HOUR
    ended = owner.get(owner.executions.CancelExecution, CancelExecutionRequest(id=execution.id))
    assert ended.create_time.ToNanoseconds() < ended.start_time.ToNanoseconds()
    assert ended.start_time.ToNanoseconds() < ended.end_time.ToNanoseconds()


def test_a_token_expires_by_the_wall_clock(world: World, clock: ShiftedClock) -> None:
    person = world.user()
    request = CreateTokenRequest(name="short")
    request.expire_time.FromSeconds(int(time.time()) + HOUR // 2)
    short = Person(person.channel, person.get(person.access.CreateToken, request).secret)
    assert who(short).user == person.user
    clock.shift_seconds = HOUR
    assert short.refused(short.access.WhoAmI, WhoAmIRequest()).reason == "CREDENTIALS_EXPIRED"
    refusal = person.refused(person.access.CreateToken, request)
    assert "expire_time" in refusal.fields
    clock.shift_seconds = -HOUR
    assert who(short).user == person.user


def test_the_last_use_of_a_token_is_told_by_the_clock_as_it_is_now(
    world: World, clock: ShiftedClock
) -> None:
    person = world.user()

    def last_used() -> int:
        who(person)
        (token,) = person.get(person.access.ListTokens, ListTokensRequest()).tokens
        return int(token.last_used_time.seconds)

    for shift in (HOUR, -HOUR, 0):
        clock.shift_seconds = shift
        # Noted in the background, once what was remembered of the token is read again.
        last = time.monotonic() + 10
        while abs(last_used() - time.time() - shift) > 60:
            assert time.monotonic() < last, "the use was not noted"


def test_jwts_are_good_from_nbf_to_exp_by_the_wall_clock(
    world: World, clock: ShiftedClock, provider: Provider
) -> None:
    person, now = world.user(), int(time.time())
    today = Person(
        person.channel, provider.token(sub=person.id, nbf=now - HOUR, exp=now + HOUR // 2)
    )
    later = Person(
        person.channel,
        provider.token(sub=person.id, nbf=now + HOUR // 2, exp=now + 2 * HOUR),
    )
    for shift, good, bad, reason in (
        (0, today, later, "CREDENTIALS_INVALID"),
        (HOUR, later, today, "CREDENTIALS_EXPIRED"),
        (-HOUR // 2, today, later, "CREDENTIALS_INVALID"),
    ):
        clock.shift_seconds = shift
        assert bad.refused_within_a_second().reason == reason
        assert who(good).user == person.user


def test_rates_are_neither_refilled_nor_frozen(world: World, clock: ShiftedClock) -> None:
    person = world.user(tier=Tier.TIER_FREE)
    for shift in (HOUR, -HOUR):
        # So many that a machine that is slow to ask has used them all up as well.
        asked = 0
        while _is_allowed(person):
            asked += 1
            assert asked < 100 * FREE_BURST
        clock.shift_seconds = shift
        # What was used up is not given back by the hour: that would be the whole burst.
        assert sum(_is_allowed(person) for _ in range(FREE_BURST)) < FREE_BURST
        last = time.monotonic() + 10
        while not _is_allowed(person):
            assert time.monotonic() < last, "the bucket is frozen"


def _is_allowed(person: Person) -> bool:
    try:
        who(person)
    except grpc.RpcError as error:
        if read_refusal(error).reason != "RATE_LIMITED":
            raise
        return False
    return True


@pytest.mark.parametrize("order", ["create_time", "create_time desc", "name"])
def test_pages_go_on_where_they_were(world: World, clock: ShiftedClock, order: str) -> None:
    owner = world.user()
    project = world.project(owner)
    made = set()
    for shift in (0, HOUR, -HOUR):
        clock.shift_seconds = shift
        made |= {world.workflow(owner, project).id for _ in range(4)}
    seen: list[str] = []
    request = ListWorkflowsRequest(page_size=5, order_by=order)
    for shift in (HOUR, -HOUR, 0):
        clock.shift_seconds = shift
        page = owner.get(owner.workflows.ListWorkflows, request)
        seen += [workflow.id for workflow in page.workflows]
        request.page_token = page.next_page_token
    assert not request.page_token
    assert sorted(seen) == sorted(made)


def test_a_request_id_is_remembered_for_a_day_of_the_wall_clock(
    world: World, clock: ShiftedClock
) -> None:
    owner = world.user()
    request = world.new_workflow(world.project(owner).id, request_id="once")
    first = owner.get(owner.workflows.CreateWorkflow, request)
    for shift in (*JUMPS, DAY - HOUR):
        clock.shift_seconds = shift
        assert owner.get(owner.workflows.CreateWorkflow, request) == first
    clock.shift_seconds = DAY + HOUR
    assert owner.refused(owner.workflows.CreateWorkflow, request).reason == "DUPLICATE_NAME"


def test_a_real_server_whose_system_clock_is_set_serves_on(tmp_path: Path) -> None:
    library = faketime_library()
    if library is None:
        pytest.skip("libfaketime is not installed (Debian: apt install libfaketime)")
    clock = FakedClock(library, tmp_path)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in clock.environment.items():
            patched.setenv(name, value)
        server = Server(tmp_path, "--dev")
    with server, grpc.insecure_channel(server.target) as channel:
        place = Place(server, channel)
        owner = place.user()
        project = place.project(owner)
        made = []
        with watching(owner) as call:
            begun(call)
            for shift in (0, *JUMPS):
                clock.set(shift)
                for _ in range(10):
                    request: CreateWorkflowRequest = place.new_workflow(project)
                    made.append(owner.ask(owner.workflows.CreateWorkflow, request))
                told = owner.get(
                    owner.workflows.GetWorkflow, GetWorkflowRequest(id=made[-1].response.id)
                )
                assert abs(told.create_time.seconds - time.time() - shift) < HOUR // 2
            changes = until(call, made[-1].revision)
        assert [change.resource_id for change in changes] == [each.response.id for each in made]
        assert len({each.response.id for each in made}) == len(made)
        assert server.terminate() == 0
    told_of_log = symphony("audit", "verify", cwd=tmp_path)
    assert told_of_log.returncode == 0, told_of_log.stderr
