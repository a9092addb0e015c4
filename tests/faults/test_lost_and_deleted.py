"""What goes out of a watcher's sight, and is deleted while that is told, is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import RemoveProjectMemberRequest
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.use_cases.changes.turned import TurnedBy
from tests.server.follower import begun, told, until, watching
from tests.server.world import World


def test_a_workflow_that_was_lost_and_then_deleted_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path) as world:
        owner, viewer = world.user(), world.user()
        project = world.project(owner)
        world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
        workflow = world.workflow(owner, project, shared=True)
        read_gone: Any = TurnedBy._gone

        def delete_first(turned: TurnedBy, snapshot: Any) -> Any:
            request = DeleteWorkflowRequest(id=workflow.id)
            owner.get(owner.workflows.DeleteWorkflow, request)
            return read_gone(turned, snapshot)

        with watching(viewer) as call, monkeypatch.context() as patched:
            begun(call)
            patched.setattr(TurnedBy, "_gone", delete_first)
            request = RemoveProjectMemberRequest(project_id=project.id, user_id=viewer.id)
            removed = owner.ask(owner.projects.RemoveProjectMember, request)
            changes = told(until(call, removed.revision + 1))
    assert changes.count(("DELETED", workflow.id)) == 1
    assert len(changes) == len(set(changes))
