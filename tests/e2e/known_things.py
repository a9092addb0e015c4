"""One of each kind of thing on a running server, for requests that are made by chance to name."""

from __future__ import annotations

from dataclasses import dataclass

from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest
from tests.e2e.place import Place
from tests.server.world import Person


@dataclass(frozen=True)
class KnownThings:
    """A project's owner, another member of it, and ids."""

    owner: Person
    member: Person
    ids: list[str]
    """None of them is the owner's own, so that no request ends what lets them call."""


def make_known_things(place: Place) -> KnownThings:
    """A project with two members, a workflow in it, an execution of that, and a token."""
    owner, member = place.user(), place.user()
    project = place.project(owner)
    workflow = place.workflow(owner, project)
    owner.get(
        owner.projects.AddProjectMember,
        AddProjectMemberRequest(
            project_id=project.id, user_id=member.id, role=ProjectRole.PROJECT_ROLE_COLLABORATOR
        ),
    )
    execution = owner.get(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    token = member.get(member.access.CreateToken, CreateTokenRequest(name="to be revoked")).token
    return KnownThings(owner, member, [member.id, project.id, workflow.id, execution.id, token.id])
