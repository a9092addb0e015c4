"""Changes a member's role in a project."""

from __future__ import annotations

from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import UpdateProjectMemberRequest
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.projects.membership import (
    last_owner,
    permitted_member,
    record_member_change,
)
from symphony_server.use_cases.update_masks import apply_update


def update_project_member(
    transaction: Transaction, call: Call, request: UpdateProjectMemberRequest
) -> ProjectMember:
    """The member with the new role."""
    judgement = call.judgement
    project_id, user_id = request.project_member.project_id, request.project_member.user_id
    member = permitted_member(transaction, call, project_id, user_id, under="project_member.")
    updated: ProjectMember = apply_update(member, request.project_member, call.update_paths)
    if updated.role != ProjectRole.PROJECT_ROLE_OWNER:
        left = last_owner(transaction, member, field="project_member.role")
        judgement.ask("project.owner_remains", left)
    judgement.conclude()

    transaction.members.update(project_id, user_id, updated.role)
    record_member_change(transaction, call, member, updated)
    return updated
