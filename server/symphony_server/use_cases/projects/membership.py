"""What the actions on members share: the member, the last owner, the change record."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony_server.refusal import Violation
from symphony_server.store.change_log import Standing
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.projects.get_project import permitted_project
from symphony_server.use_cases.recording import record_change


def last_owner(transaction: Transaction, member: ProjectMember, *, field: str) -> Violation | None:
    """The violation of a project that would be left without an OWNER."""
    if member.role != ProjectRole.PROJECT_ROLE_OWNER or transaction.members.has_owner_besides(
        member.project_id, member.user_id
    ):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_LAST_OWNER,
        "is the project's last OWNER, and a project always has one; make another OWNER first",
        field=field,
        subject=member.project_id,
    )


def permitted_member(
    transaction: Transaction, call: Call, project_id: str, user_id: str, *, under: str = ""
) -> ProjectMember:
    """A member, once it is decided that the caller may manage the project's; `under` is where the
    request names both (`project_member.`).

    Raises Refused when the caller may not, or there is no such member.
    """
    field = f"{under}project_id"
    permitted_project(transaction, call, "projects.manage_members", project_id, field=field)
    member = transaction.members.get(project_id, user_id)
    if member is None:
        absent = Violation(
            ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND,
            f"{user_id} is not a member of the project",
            field=f"{under}user_id",
            subject=user_id,
            metadata={"resource_type": "project_member"},
        )
        call.judgement.stop("member.exists", absent)
    return member


def record_member_change(
    transaction: Transaction,
    call: Call,
    before: ProjectMember | None,
    after: ProjectMember | None,
) -> None:
    """Record that a membership began, changed or ended: None where there was or is none."""
    if before is None:
        operation = ChangeOperation.CHANGE_OPERATION_CREATED
    elif after is None:
        operation = ChangeOperation.CHANGE_OPERATION_DELETED
    else:
        operation = ChangeOperation.CHANGE_OPERATION_UPDATED
    member = after or before
    if member is None:
        raise ValueError("a membership that neither was nor is did not change")
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_PROJECT_MEMBER,
        operation,
        f"{member.project_id}/{member.user_id}",
        project_id=member.project_id,
        resource=after,
        standing=Standing(
            member.user_id,
            before=before.role if before is not None else 0,
            after=after.role if after is not None else 0,
        ),
    )
