"""Servers that share a PostgreSQL database are as one to those who call them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.user_pb2 import Tier, User
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_server.embedded import EmbeddedServer
from symphony_server.settings import Settings
from symphony_server.store.change_log import Standing
from symphony_server.store.database import parse_url
from symphony_server.store.transaction import Transaction
from tests.engines import MIGRATIONS
from tests.postgresql import Postgresql, running
from tests.server.follower import begun, until, watching
from tests.server.load import Load, at, records
from tests.server.world import World, read_refusal, spec

TIERS = {"free": {"max_workflows": 3}}
RACERS = 50


@pytest.fixture
def url(postgresql: Postgresql) -> Iterator[str]:
    with postgresql.migrated() as url:
        yield url


@pytest.fixture
def two(tmp_path: Path, url: str) -> Iterator[tuple[World, World]]:
    """Two servers on one database; the ADMIN is the same."""
    with (
        World(tmp_path, url, rate_limits=False, tiers=TIERS) as one,
        World(tmp_path, url, rate_limits=False, tiers=TIERS) as other,
    ):
        yield one, other


def last_revision(world: World) -> int:
    with watching(world.admin) as call:
        return begun(call)


def test_every_watcher_of_any_server_sees_every_change_once_and_in_order(
    two: tuple[World, World],
) -> None:
    owner = two[0].user()
    project = two[0].project(owner)
    start, before = last_revision(two[0]), records(two[0])
    writers, writes, watchers = 4, 20, 3  # of each server
    end = start + len(two) * writers * writes
    number = count()

    def write(world: World) -> list[str]:
        person = at(world, owner)
        names = [f"w{next(number)}" for _ in range(writes)]
        return [world.workflow(person, project, spec=spec(name)).id for name in names]

    def follow(world: World) -> list[tuple[int, str]]:
        with watching(at(world, owner), start) as call:
            return [(c.revision, c.resource_id) for c in until(call, end)]

    with ThreadPoolExecutor(len(two) * (writers + watchers)) as pool:
        followed = [pool.submit(follow, world) for world in two for _ in range(watchers)]
        made = {name for names in pool.map(write, two * writers) for name in names}
        seen = [future.result() for future in followed]
    assert [revision for revision, _ in seen[0]] == list(range(start + 1, end + 1))
    assert {name for _, name in seen[0]} == made
    assert all(other == seen[0] for other in seen)
    assert records(two[1]) == before + len(made)


def test_a_transaction_that_stays_open_delays_the_feed_and_is_not_skipped(
    two: tuple[World, World], url: str
) -> None:
    one, other = two
    start = last_revision(one)
    session = parse_url(url).open(read_only=False)
    with closing(session), watching(other.admin, start) as call, ThreadPoolExecutor(1) as pool:
        held = Transaction(session)
        held.begin()
        held.changes.append(
            kind=ResourceKind.RESOURCE_KIND_USER,
            operation=ChangeOperation.CHANGE_OPERATION_CREATED,
            resource_id="user_held",
            project_id="",
            request_id="",
            time_us=1,
            resource=User(id="user_held").SerializeToString(),
            standing=Standing("user_held"),
        )
        assert held.changes.revision == start + 1
        later: Future[Any] = pool.submit(one.project, one.admin)
        with pytest.raises(TimeoutError):
            later.result(timeout=0.3)
        assert last_revision(other) == start
        held.seal()
        held.commit()
        later.result()
        first, _, *_ = until(call, start + 2)
        assert first.resource_id == "user_held"


def test_a_token_revoked_at_one_server_is_refused_at_the_other_within_a_second(
    two: tuple[World, World],
) -> None:
    one, other = two
    person = one.user()
    elsewhere = at(other, person)
    token = elsewhere.get(elsewhere.access.WhoAmI, WhoAmIRequest()).token
    one.admin.get(one.admin.access.RevokeToken, RevokeTokenRequest(id=token.id))
    assert elsewhere.refused_within_a_second().code == grpc.StatusCode.UNAUTHENTICATED


def test_of_fifty_racers_over_two_servers_one_gets_the_last_place(
    two: tuple[World, World],
) -> None:
    person = two[0].user(tier=Tier.TIER_FREE)
    project = two[0].project(person)
    for _ in range(TIERS["free"]["max_workflows"] - 1):
        two[0].workflow(person, project)
    ready = threading.Barrier(RACERS)

    def race(number: int) -> str:
        world = two[number % 2]
        racer = at(world, person)
        request = CreateWorkflowRequest(project_id=project.id, spec=spec(f"racer {number}"))
        ready.wait()
        try:
            racer.get(racer.workflows.CreateWorkflow, request)
        except grpc.RpcError as error:
            return read_refusal(error).reason
        return "made"

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = sorted(pool.map(race, range(RACERS)))
    assert outcomes == ["TIER_WORKFLOW_LIMIT"] * (RACERS - 1) + ["made"]
    assert two[0].query("SELECT count(*) FROM workflows") == [(TIERS["free"]["max_workflows"],)]


def test_ten_servers_that_start_together_are_one(postgresql: Postgresql, tmp_path: Path) -> None:
    url = postgresql.empty_database()

    def start(number: int) -> EmbeddedServer:
        server = EmbeddedServer(
            Settings(
                database_url=url,
                listen="127.0.0.1:0",
                bootstrap_admin="admin@example.com",
                token_file=tmp_path / str(number),
            )
        )
        return server.__enter__()

    with ExitStack() as stack, ThreadPoolExecutor(10) as pool:
        servers = list(pool.map(start, range(10)))
        for server in servers:
            stack.push(server)
        assert [server.running.made_admin for server in servers].count(True) == 1
        assert len(list(tmp_path.iterdir())) == 1
        signers = {server.running.services.deployment.head_signer.public_key for server in servers}
        assert len(signers) == 1
    applied = postgresql.execute("SELECT name FROM schema_migration", url)
    assert applied == [(name,) for name in MIGRATIONS]
    assert postgresql.execute("SELECT count(*) FROM users", url) == [(1,)]


@pytest.mark.timeout(180)
def test_a_database_that_crashes_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with running() as server, ExitStack() as stack:
        url = server.migrated_database()
        load = Load([stack.enter_context(World(tmp_path, url, rate_limits=False)) for _ in "12"])
        with load.calling(8):
            for _ in range(3):
                load.wait_for_answers()
                server.stop(how=signal.SIGQUIT)
                server.start()
            load.wait_for_answers()
        assert load.times_unknown
        load.check()
