from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    DeleteProjectRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.user_pb2 import Role, User, UserState
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest
from symphony_server.store import change_feed
from symphony_server.use_cases.changes import watch as watch_module
from tests import engines
from tests.server.follower import Replica, begun, ended, readable, told, until, watching
from tests.server.world import Answer, Person, Refusal, World, read_refusal

ENGINES = engines.ALL

OWNER = ProjectRole.PROJECT_ROLE_OWNER
COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER


def share(owner: Person, workflow: Workflow, *, shared: bool = True) -> Answer:
    # False is no value to an empty mask, so the mask names it.
    request = UpdateWorkflowRequest(workflow=Workflow(id=workflow.id, shared=shared))
    request.update_mask.paths.append("shared")
    return owner.ask(owner.workflows.UpdateWorkflow, request)


def leave(world: World, project: Project, person: Person) -> Answer:
    request = RemoveProjectMemberRequest(project_id=project.id, user_id=person.id)
    return world.admin.ask(world.admin.projects.RemoveProjectMember, request)


def set_roles(world: World, person: Person, *roles: Role.ValueType) -> Answer:
    request = UpdateUserRequest(user=User(id=person.id, roles=roles))
    request.update_mask.paths.append("roles")
    return world.admin.ask(world.admin.users.UpdateUser, request)


def last_revision(world: World) -> int:
    with watching(world.admin) as call:
        return begun(call)


def test_a_watch_from_now_tells_what_comes_and_checkpoints_it(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        start = begun(call)
        made = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
        workflow = made.response
        changes = until(call, made.revision)
    assert told(changes) == [("CREATED", workflow.id)]
    assert changes[0].revision == made.revision > start
    assert changes[0].kind == ResourceKind.RESOURCE_KIND_WORKFLOW
    assert changes[0].workflow == workflow


def test_a_watch_from_a_revision_tells_every_later_change_in_order(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    start = last_revision(world)
    workflow = world.workflow(owner, project)
    share(owner, workflow)
    gone = owner.ask(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    with watching(owner, start) as call:
        changes = until(call, gone.revision)
    assert told(changes) == [
        ("CREATED", workflow.id),
        ("UPDATED", workflow.id),
        ("DELETED", workflow.id),
    ]
    assert [c.revision for c in changes] == [start + 1, start + 2, start + 3]
    assert changes[1].workflow.shared
    assert changes[2].WhichOneof("resource") is None


def test_a_change_names_the_request_that_made_it(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        begun(call)
        request = world.new_workflow(project.id, request_id="mine")
        made = owner.ask(owner.workflows.CreateWorkflow, request)
        (change,) = until(call, made.revision)
    assert change.request_id == "mine"


def test_what_may_not_be_read_is_not_told_but_checkpointed(world: World) -> None:
    owner, stranger = world.user(), world.user()
    project = world.project(owner)
    with watching(stranger) as call:
        begun(call)
        made = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
        assert until(call, made.revision) == []


def test_sharing_shows_as_created_and_the_end_of_it_as_deleted(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    workflow = world.workflow(owner, project)
    run = owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id))
    start = last_revision(world)
    share(owner, workflow)
    end = share(owner, workflow, shared=False)

    with watching(owner, start) as call:
        assert told(until(call, end.revision)) == [("UPDATED", workflow.id)] * 2
    with watching(member) as call:
        begun(call)
        again = share(owner, workflow)
        gained = until(call, again.revision)
        last = share(owner, workflow, shared=False)
        lost = until(call, last.revision)
    assert told(gained) == [("CREATED", run.id), ("CREATED", workflow.id)]
    assert gained[0].execution == run
    assert [c.revision for c in gained] == [again.revision - 1, again.revision]
    assert told(lost) == [("DELETED", run.id), ("DELETED", workflow.id)]


def test_who_joins_is_told_all_and_who_leaves_loses_all_but_the_own(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    private = world.workflow(owner, project)
    shared = world.workflow(owner, project, shared=True)
    with watching(member) as call:
        start = begun(call)
        world.join(project, member, COLLABORATOR)
        joined = start + 1
        gained = until(call, joined)
        own = member.ask(member.workflows.CreateWorkflow, world.new_workflow(project.id))
        until(call, own.revision)
        lost = until(call, leave(world, project, member).revision)
    memberships = {f"{project.id}/{person.id}" for person in (owner, member)}
    assert {name for _, name in told(gained)} == {project.id, shared.id, *memberships}
    assert {operation for operation, _ in told(gained)} == {"CREATED"}
    assert told(gained)[-1] == ("CREATED", f"{project.id}/{member.id}")
    assert set(told(lost)) == {("DELETED", name) for name in (project.id, shared.id, *memberships)}
    assert private.id not in str(gained) + str(lost)
    assert own.response.id not in str(lost)


def test_a_higher_role_shows_more_and_a_lower_one_less(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    private = world.workflow(owner, project)

    def become(role: ProjectRole.ValueType) -> Answer:
        asked = ProjectMember(project_id=project.id, user_id=member.id, role=role)
        return owner.ask(
            owner.projects.UpdateProjectMember, UpdateProjectMemberRequest(project_member=asked)
        )

    membership = f"{project.id}/{member.id}"
    with watching(member) as call:
        begun(call)
        more = until(call, become(OWNER).revision)
        less = until(call, become(VIEWER).revision)
    assert told(more) == [("CREATED", private.id), ("UPDATED", membership)]
    assert told(less) == [("DELETED", private.id), ("UPDATED", membership)]


def test_who_becomes_an_auditor_is_told_everything(world: World) -> None:
    owner, person = world.user(), world.user()
    workflow = world.workflow(owner, world.project(owner))
    with watching(person) as call:
        begun(call)
        answer = set_roles(world, person, Role.ROLE_AUDITOR)
        gained = {name for _, name in told(until(call, answer.revision))}
        assert gained >= {owner.id, world.admin.id, workflow.id, workflow.project_id, person.id}
        answer = set_roles(world, person, Role.ROLE_DEVELOPER)
        lost = told(until(call, answer.revision))
    assert ("UPDATED", person.id) in lost
    assert {name for operation, name in lost if operation == "DELETED"} == gained - {person.id}


def test_a_deleted_project_goes_with_its_members(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    start = last_revision(world)
    gone = owner.ask(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))
    names = {project.id, f"{project.id}/{owner.id}", f"{project.id}/{member.id}"}
    for person in (owner, member, world.admin):
        with watching(person, start) as call:
            changes = told(until(call, gone.revision))
        assert set(changes) == {("DELETED", name) for name in names}
        assert len(changes) == len(names)


def test_who_was_away_does_not_learn_what_it_may_no_longer_read(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, COLLABORATOR)
    before = world.workflow(owner, project, shared=True)
    start = last_revision(world)
    missed = world.workflow(owner, project, shared=True)
    unshared = world.workflow(owner, project, shared=True)
    share(owner, unshared, shared=False)
    with watching(member, start) as call:
        changes = until(call, last_revision(world))
    assert unshared.id not in {name for op, name in told(changes) if op != "DELETED"}

    left = leave(world, project, member)
    with watching(member, start) as call:
        changes = until(call, left.revision)
    assert {operation for operation, _ in told(changes)} == {"DELETED"}
    assert ("DELETED", before.id) in told(changes)
    assert ("DELETED", missed.id) in told(changes)


def test_what_was_lost_and_then_deleted_is_told_as_deleted(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    shared = world.workflow(owner, project, shared=True)
    run = owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=shared.id))
    replica = Replica(1)
    replica.follow(member, last_revision(world))
    assert {shared.id, run.id} <= set(replica.resources)
    share(owner, shared, shared=False)
    leave(world, project, member)
    owner.get(owner.executions.CancelExecution, CancelExecutionRequest(id=run.id))
    gone = owner.ask(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=shared.id))
    replica.follow(member, gone.revision)
    assert set(replica.resources) == {member.id}


def test_filters_by_kind_and_project(world: World) -> None:
    owner = world.user()
    here, there = world.project(owner), world.project(owner)
    start = last_revision(world)
    wanted = world.workflow(owner, here)
    world.workflow(owner, there)
    owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=wanted.id))
    end = last_revision(world)
    kinds = [ResourceKind.RESOURCE_KIND_WORKFLOW]
    with watching(owner, start, kinds=kinds, project_ids=[here.id]) as call:
        assert told(until(call, end)) == [("CREATED", wanted.id)]
    with watching(owner, start, project_ids=[there.id]) as call:
        assert len(until(call, end)) == 1
    with watching(owner, start, kinds=kinds) as call:
        assert len(until(call, end)) == 2


def test_many_writers_and_watchers_see_every_change_once_and_in_order(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    start = last_revision(world)
    writers, writes, watchers = 8, 25, 6

    def write(_: int) -> list[str]:
        return [world.workflow(owner, project).id for _ in range(writes)]

    def follow(_: int) -> list[tuple[int, str]]:
        with watching(owner, start) as call:
            changes = until(call, start + writers * writes)
        return [(c.revision, c.resource_id) for c in changes]

    with ThreadPoolExecutor(writers + watchers) as pool:
        followed = [pool.submit(follow, n) for n in range(watchers)]
        made = {name for names in pool.map(write, range(writers)) for name in names}
        seen = [future.result() for future in followed]
    assert [revision for revision, _ in seen[0]] == list(
        range(start + 1, start + writers * writes + 1)
    )
    assert {name for _, name in seen[0]} == made
    assert all(other == seen[0] for other in seen)


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
