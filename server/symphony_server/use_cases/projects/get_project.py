"""Gets a project, or its constraints."""

from __future__ import annotations

from functools import partial

from symphony.v1.project_pb2 import Project, ProjectConstraints
from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest, GetProjectRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call


def get_project(snapshot: Snapshot, call: Call, request: GetProjectRequest) -> Project:
    """The project with the id."""
    return permitted_project(snapshot, call, "projects.read", request.id, field="id")


def get_project_constraints(
    snapshot: Snapshot, call: Call, request: GetProjectConstraintsRequest
) -> ProjectConstraints:
    """The constraints of the project."""
    project = permitted_project(
        snapshot, call, "projects.read", request.project_id, field="project_id"
    )
    return project.constraints


def permitted_project(
    snapshot: Snapshot, call: Call, permission: str, project_id: str, *, field: str
) -> Project:
    """A project, once it is decided that the caller has a permission on it.

    Ends the judgement's stage: raises Refused when the caller has not.
    """
    call.resource_id = project_id
    project, relation = snapshot.projects.get(project_id, call.caller.user.id)
    facts = None if project is None else Facts(owner_id=project.owner_id, relation=relation)
    absent = partial(not_found, "project", project_id, field=field)
    decision = decide(permission, call.caller.user, facts)
    project = call.judgement.existing(decision, project, absent)
    call.judgement.end_stage()
    return project
