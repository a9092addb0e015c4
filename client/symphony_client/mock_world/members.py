"""Members of projects: added, changed, removed, and never without an OWNER."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty

from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony_client.mock_world.checks import found, not_found
from symphony_client.mock_world.refusals import Refused, Wrong, refuse
from symphony_client.mock_world.update_masks import changed, paths_to_change
from symphony_client.mock_world.world import World, Write
from symphony_client.resources.kinds import PROJECT, PROJECT_MEMBER, USER

_OWNER = ProjectRole.PROJECT_ROLE_OWNER


def add_project_member(write: Write, request: AddProjectMemberRequest) -> ProjectMember:
    """The new member."""
    found(write.world, PROJECT, request.project_id, field="project_id")
    found(write.world, USER, request.user_id, field="user_id")
    member = ProjectMember(
        project_id=request.project_id, user_id=request.user_id, role=request.role
    )
    refuse(_already(write.world, member))
    created: ProjectMember = write.create(PROJECT_MEMBER, member)
    return created


def update_project_member(write: Write, request: UpdateProjectMemberRequest) -> ProjectMember:
    """The member with the new role."""
    asked = request.project_member
    paths = paths_to_change(request.update_mask, asked, "project_member")
    member = _found(write.world, asked, prefix="project_member.")
    updated = changed(member, asked, paths)
    if updated.role != _OWNER:
        refuse(_last_owner(write.world, member, field="project_member.role"))
    kept: ProjectMember = write.update(PROJECT_MEMBER, updated)
    return kept


def remove_project_member(write: Write, request: RemoveProjectMemberRequest) -> Empty:
    """Nothing; the membership is gone."""
    member = _found(write.world, request)
    refuse(_last_owner(write.world, member, field="user_id"))
    write.delete(PROJECT_MEMBER, member)
    return Empty()


def _found(world: World, named: Any, prefix: str = "") -> Any:
    found(world, PROJECT, named.project_id, field=f"{prefix}project_id")
    member = world.table.get(PROJECT_MEMBER, PROJECT_MEMBER.id_of(named))
    if member is None:
        said = f"{named.user_id} is not a member of the project"
        raise Refused(not_found(PROJECT_MEMBER, said, named.user_id, f"{prefix}user_id"))
    return member


def _already(world: World, member: ProjectMember) -> Wrong | None:
    if world.table.get(PROJECT_MEMBER, PROJECT_MEMBER.id_of(member)) is None:
        return None
    return Wrong(
        reason="ALREADY_MEMBER",
        description="is a member of the project already; change the role instead",
        field="user_id",
    )


def _last_owner(world: World, member: ProjectMember, *, field: str) -> Wrong | None:
    owners = world.where(PROJECT_MEMBER, project_id=member.project_id, role=_OWNER)
    if [owner.user_id for owner in owners] != [member.user_id]:
        return None
    return Wrong(
        reason="LAST_OWNER",
        description="is the project's last OWNER, and a project always has one; "
        "make another OWNER first",
        field=field,
        subject=member.project_id,
    )
