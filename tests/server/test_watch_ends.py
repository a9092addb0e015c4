"""A watch that cannot go on is refused or ended in clear words, and one that can hears of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.user_pb2 import User, UserState
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony_server.store import change_feed
from symphony_server.use_cases.changes import watch as watch_module
from tests import engines
from tests.server.follower import begun, ended, last_revision, readable, until, watching
from tests.server.world import Person, Refusal, World, read_refusal

ENGINES = engines.ALL


def test_a_revision_that_is_no_longer_kept_or_not_yet_there_is_refused(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    world.workflow(owner, project)
    last = last_revision(world)

    def compact() -> int:
        return world.in_transaction(
            lambda transaction: transaction.changes.compact(
                before_us=transaction.time_us + 1, limit=1000
            )
        )

    with watching(owner, last + 1) as call:
        refused = ended(call)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.OUT_OF_RANGE,
        "REVISION_COMPACTED",
    )
    assert compact() == last - 1
    assert compact() == 0
    with watching(owner, 1) as call:
        refused = ended(call)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.OUT_OF_RANGE,
        "REVISION_COMPACTED",
    )
    assert refused.metadata["compact_revision"] == str(last - 1)
    assert refused.fields == {"start_revision": "REVISION_COMPACTED"}
    with watching(owner, last - 1) as call:
        assert [c.revision for c in until(call, last)] == [last]
    again = world.workflow(owner, project)
    assert again.id
    assert last_revision(world) == last + 1


def test_a_watch_ends_when_its_credential_does(world: World) -> None:
    person = world.user()
    with watching(person) as call:
        begun(call)
        token = person.get(person.access.WhoAmI, WhoAmIRequest()).token
        person.get(person.access.RevokeToken, RevokeTokenRequest(id=token.id))
        assert ended(call).reason == "CREDENTIALS_INVALID"

    suspended = world.user()
    with watching(suspended) as call:
        begun(call)
        request = UpdateUserRequest(
            user=User(id=suspended.id, state=UserState.USER_STATE_SUSPENDED)
        )
        world.admin.get(world.admin.users.UpdateUser, request)
        assert ended(call).reason == "USER_SUSPENDED"


def test_a_watch_without_credentials_or_with_a_bad_request_is_refused(world: World) -> None:
    def refused(person: Person, **fields: Any) -> str:
        with watching(person, **fields) as call:
            return ended(call).reason

    assert refused(world.stranger) == "CREDENTIALS_MISSING"
    assert refused(world.admin, start=-1) == "FIELD_INVALID"
    assert refused(world.admin, project_ids=["x"]) == "FIELD_INVALID"
    scoped = Person(world.admin.channel, world.token(world.admin.id, ["workflows."]))
    assert refused(scoped) == "TOKEN_SCOPE_REQUIRED"


def test_a_stopping_server_ends_watches_at_once_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.__enter__()
    channel = world.open_channel()
    call = Person(channel, world.admin.secret).changes.Watch(
        WatchRequest(), metadata=tuple(world.admin.metadata())
    )
    begun(call)
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.append(ended(call).reason))
    reading.start()
    world.server.__exit__(None, None, None)
    reading.join(10)
    assert found == ["SHUTTING_DOWN"]


def test_a_quiet_watch_hears_a_checkpoint_now_and_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "CHECKPOINT_SECONDS", 0.1)
    with watching(world.admin) as call:
        revision = begun(call)
        assert [begun(call) for _ in range(3)] == [revision] * 3


def test_a_checkpoint_is_due_before_the_five_seconds_of_the_contract() -> None:
    assert watch_module.CHECKPOINT_SECONDS < 5


def test_a_checkpoint_comes_in_time_however_many_changes_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "CHECKPOINT_SECONDS", 0.2)
    monkeypatch.setattr(watch_module, "QUIET_SECONDS", 60.0)  # the changes never pause that long
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        begun(call)
        events: list[str | None] = []
        while "checkpoint" not in events and len(events) < 200:
            world.workflow(owner, project)
            events.append(next(call).WhichOneof("event"))
        assert events[0] == "change"
        assert events[-1] == "checkpoint", "200 changes, and no checkpoint"


def test_changes_are_forgotten_after_the_time_that_is_set(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        owner = world.user()
        world.project(owner)
        last = last_revision(world)
    with World(tmp_path, change_retention_seconds=1e-6) as world:
        again = Person(world.admin.channel, owner.secret, owner.user)
        refused = None
        while refused is None:  # the housekeeping begins with the server, and takes its time
            with watching(again, 1) as call:
                refused = first_refusal(call)
    assert refused.reason == "REVISION_COMPACTED"
    assert refused.metadata["compact_revision"] == str(last - 1)


def first_refusal(call: Any) -> Refusal | None:
    """How a watch was refused, or None when it tells something first."""
    try:
        next(call)
    except grpc.RpcError as error:
        return read_refusal(error)
    return None


def test_no_more_than_so_many_watches_are_open(tmp_path: Path) -> None:
    with World(tmp_path, max_streams=1) as world, watching(world.admin) as call:
        begun(call)
        with watching(world.admin) as other:
            refused = ended(other)
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")


def test_who_falls_behind_what_is_kept_in_memory_reads_on_from_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "KEPT_CHANGES", 2)
    monkeypatch.setattr(change_feed, "BATCH", 3)
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        start = begun(call)
        for _ in range(20):
            world.workflow(owner, project)
        changes = until(call, start + 20)
    assert [c.revision for c in changes] == list(range(start + 1, start + 21))
    assert readable(owner).keys() >= {c.resource_id for c in changes}
