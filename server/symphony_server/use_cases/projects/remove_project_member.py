"""Ends a user's membership in a project."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from symphony.v1.project_service_pb2 import RemoveProjectMemberRequest
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.projects.membership import (
    last_owner,
    permitted_member,
    record_member_change,
)


def remove_project_member(
    transaction: Transaction, call: Call, request: RemoveProjectMemberRequest
) -> Empty:
    """Nothing; the membership is gone. The user keeps the workflows it owns."""
    judgement = call.judgement
    project_id, user_id = request.project_id, request.user_id
    member = permitted_member(transaction, call, project_id, user_id)
    judgement.ask("project.owner_remains", last_owner(transaction, member, field="user_id"))
    judgement.conclude()

    transaction.members.delete(project_id, user_id)
    record_member_change(transaction, call, member, None)
    return Empty()
