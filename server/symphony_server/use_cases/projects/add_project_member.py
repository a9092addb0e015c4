"""Makes a user a member of a project."""

from __future__ import annotations

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectMember
from symphony.v1.project_service_pb2 import AddProjectMemberRequest
from symphony_server.clock import set_timestamp
from symphony_server.refusal import Violation, not_found
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.projects.get_project import permitted_project
from symphony_server.use_cases.projects.membership import record_member_change


def add_project_member(
    transaction: Transaction, call: Call, request: AddProjectMemberRequest
) -> ProjectMember:
    """The new member."""
    judgement = call.judgement
    project_id, user_id = request.project_id, request.user_id
    permitted_project(transaction, call, "projects.manage_members", project_id, field="project_id")

    if judgement.permitted and transaction.users.get(user_id) is None:
        judgement.stop("user.exists", not_found("user", user_id, field="user_id"))
    judgement.ask("member.new", _already(transaction, project_id, user_id))
    judgement.conclude()

    member = ProjectMember(project_id=project_id, user_id=user_id, role=request.role)
    set_timestamp(member.create_time, transaction.time_us)
    transaction.members.insert(member, time_us=transaction.time_us)
    record_member_change(transaction, call, None, member)
    return member


def _already(transaction: Transaction, project_id: str, user_id: str) -> Violation | None:
    if transaction.members.get(project_id, user_id) is None:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_ALREADY_MEMBER,
        "is a member of the project already; use UpdateProjectMember to change the role",
        field="user_id",
    )
