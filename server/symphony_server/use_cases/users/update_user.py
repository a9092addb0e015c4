"""Updates a user."""

from __future__ import annotations

from functools import partial

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts, sees_everything
from symphony_server.clock import timestamp_us
from symphony_server.refusal import not_found
from symphony_server.rules.names import name_key
from symphony_server.store.change_log import Standing
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_time, stale
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.update_masks import apply_update
from symphony_server.use_cases.users.create_user import email_taken


def update_user(transaction: Transaction, call: Call, request: UpdateUserRequest) -> User:
    """The user as changed. A user may change its own name; the rest is for ADMIN."""
    judgement = call.judgement
    user_id = call.resource_id = request.user.id
    current = transaction.users.get(user_id)
    facts = None if current is None else Facts(owner_id=user_id)

    permission = "users.update" if call.update_paths == ("name",) else "users.administer"
    absent = partial(not_found, "user", user_id, field="user.id")
    current = judgement.existing(decide(permission, call.caller.user, facts), current, absent)
    judgement.end_stage()

    judgement.ask("etag", stale(request.user.etag, current.etag, field="user.etag"))
    updated: User = apply_update(current, request.user, call.update_paths)
    email_key = name_key(updated.email)
    taken = email_taken(transaction, email_key, field="user.email", besides=user_id)
    judgement.ask_if_permitted("user.email_free", taken)
    judgement.conclude()

    time_us = next_time(transaction.time_us, current.update_time)
    stamp(updated, create_time_us=timestamp_us(current.create_time), update_time_us=time_us)
    transaction.users.update(
        updated, email_key=email_key, name_key=name_key(updated.name), time_us=time_us
    )
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_USER,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
        user_id,
        resource=updated,
        standing=Standing(
            user_id, before=sees_everything(current.roles), after=sees_everything(updated.roles)
        ),
    )
    return updated
