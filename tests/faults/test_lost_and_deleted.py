"""What goes out of a watcher's sight, and is changed while that is told, is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.use_cases.changes.turned import TurnedBy
from tests.server.follower import begun, told, until, watching
from tests.server.world import Answer, Person, World


def test_a_workflow_that_was_lost_and_then_deleted_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path) as world:
        owner, viewer = world.user(), world.user()
        project = world.project(owner)
        world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
        workflow = world.workflow(owner, project, shared=True)
        read_changed: Any = TurnedBy._lost_and_changed

        def delete_first(turned: TurnedBy, snapshot: Any) -> Any:
            request = DeleteWorkflowRequest(id=workflow.id)
            owner.get(owner.workflows.DeleteWorkflow, request)
            return read_changed(turned, snapshot)

        with watching(viewer) as call, monkeypatch.context() as patched:
            begun(call)
            patched.setattr(TurnedBy, "_lost_and_changed", delete_first)
            request = RemoveProjectMemberRequest(project_id=project.id, user_id=viewer.id)
            removed = owner.ask(owner.projects.RemoveProjectMember, request)
            changes = told(until(call, removed.revision + 1))
    assert changes.count(("DELETED", workflow.id)) == 1
    assert len(changes) == len(set(changes))


def test_a_member_that_was_lost_removed_and_added_again_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path) as world:
        owner, viewer, other = world.user(), world.user(), world.user()
        project = world.project(owner)
        for person in (viewer, other):
            world.join(project, person, ProjectRole.PROJECT_ROLE_VIEWER)
        judge: Any = TurnedBy._judge
        read_changed: Any = TurnedBy._lost_and_changed

        def remove(person: Person) -> Answer:
            request = RemoveProjectMemberRequest(project_id=project.id, user_id=person.id)
            return owner.ask(owner.projects.RemoveProjectMember, request)

        def remove_after_the_project(turned: TurnedBy, snapshot: Any, kind: Any, found: Any) -> Any:
            if kind.kind == ResourceKind.RESOURCE_KIND_PROJECT:
                remove(other)
            return judge(turned, snapshot, kind, found)

        def add_again_first(turned: TurnedBy, snapshot: Any) -> Any:
            world.join(project, other, ProjectRole.PROJECT_ROLE_VIEWER)
            return read_changed(turned, snapshot)

        with watching(viewer) as call, monkeypatch.context() as patched:
            begun(call)
            patched.setattr(TurnedBy, "_judge", remove_after_the_project)
            patched.setattr(TurnedBy, "_lost_and_changed", add_again_first)
            removed = remove(viewer)
            changes = told(until(call, removed.revision + 2))
    assert changes.count(("DELETED", f"{project.id}/{other.id}")) == 1
    assert len(changes) == len(set(changes))


def test_a_workflow_that_was_kept_and_is_somebody_elses_by_now_was_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path) as world:
        owner, second = world.user(), world.user()
        project = world.project(owner)
        world.join(project, second, ProjectRole.PROJECT_ROLE_OWNER)
        workflow = world.workflow(second, project)
        judge: Any = TurnedBy._judge

        def exchange_first(turned: TurnedBy, snapshot: Any, kind: Any, found: Any) -> Any:
            if kind.kind == ResourceKind.RESOURCE_KIND_PROJECT:
                second.get(second.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
                world.workflow(owner, project, workflow_id=workflow.id)
            return judge(turned, snapshot, kind, found)

        with watching(second) as call, monkeypatch.context() as patched:
            begun(call)
            patched.setattr(TurnedBy, "_judge", exchange_first)
            request = UpdateProjectMemberRequest(
                project_member=ProjectMember(
                    project_id=project.id,
                    user_id=second.id,
                    role=ProjectRole.PROJECT_ROLE_COLLABORATOR,
                )
            )
            lowered = owner.ask(owner.projects.UpdateProjectMember, request)
            changes = told(until(call, lowered.revision + 2))
    member = f"{project.id}/{second.id}"
    assert changes == [("UPDATED", member), ("DELETED", workflow.id)]
