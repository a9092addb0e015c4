"""Deletes a user who owns nothing and is a member of nothing."""

from __future__ import annotations

from functools import partial

from google.protobuf.empty_pb2 import Empty

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_service_pb2 import DeleteUserRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts, sees_everything
from symphony_server.refusal import Violation, not_found
from symphony_server.store.change_log import Standing
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import stale
from symphony_server.use_cases.recording import record_change


def delete_user(transaction: Transaction, call: Call, request: DeleteUserRequest) -> Empty:
    """Nothing; the user and its tokens are gone."""
    judgement = call.judgement
    user_id = call.resource_id = request.id
    user = transaction.users.get(user_id)
    facts = None if user is None else Facts(owner_id=user_id)

    decision = decide("users.delete", call.caller.user, facts)
    user = judgement.existing(decision, user, partial(not_found, "user", user_id))
    judgement.end_stage()

    judgement.ask("etag", stale(request.etag, user.etag, field="etag"))
    judgement.ask("user.unused", _in_use(transaction, user_id))
    judgement.conclude()

    transaction.tokens.delete_all(user_id)
    transaction.users.delete(user_id)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_USER,
        ChangeOperation.CHANGE_OPERATION_DELETED,
        user_id,
        standing=Standing(user_id, before=sees_everything(user.roles)),
    )
    return Empty()


def _in_use(transaction: Transaction, user_id: str) -> Violation | None:
    uses = transaction.users.what_uses(user_id)
    if not uses:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_RESOURCE_IN_USE,
        f"the user still has {', '.join(uses)}; remove these first, or suspend the user instead",
        field="id",
        subject=user_id,
        metadata={"used_by": ",".join(uses)},
    )
