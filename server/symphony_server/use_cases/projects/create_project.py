"""Creates a project."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import NO_FACTS
from symphony_server.clock import set_timestamp
from symphony_server.ids import new_id
from symphony_server.rules.names import name_key
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.projects.membership import record_member_change
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.taken import id_taken


def create_project(transaction: Transaction, call: Call, request: CreateProjectRequest) -> Project:
    """The new project, with the caller as its OWNER."""
    judgement = call.judgement
    user = call.caller.user
    project_id = call.resource_id = request.project_id or new_id("project")

    judgement.decided(decide("projects.create", user, NO_FACTS))
    judgement.end_stage()

    if request.project_id:
        used = transaction.projects.get(project_id, user.id)[0] is not None
        judgement.ask_if_permitted("project.id_free", id_taken("project_id") if used else None)
    judgement.conclude()

    time_us = transaction.time_us
    project = Project(
        id=project_id,
        owner_id=user.id,
        name=request.name,
        description=request.description,
    )
    if request.constraints.ByteSize():
        project.constraints.CopyFrom(request.constraints)
    stamp(project, create_time_us=time_us, update_time_us=time_us)
    transaction.projects.insert(project, name_key=name_key(project.name), time_us=time_us)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_PROJECT,
        ChangeOperation.CHANGE_OPERATION_CREATED,
        project_id,
        project_id=project_id,
        resource=project,
    )
    owner = ProjectMember(
        project_id=project_id, user_id=user.id, role=ProjectRole.PROJECT_ROLE_OWNER
    )
    set_timestamp(owner.create_time, time_us)
    transaction.members.insert(owner, time_us=time_us)
    record_member_change(transaction, call, None, owner)
    call.resource_id = project_id
    return project
