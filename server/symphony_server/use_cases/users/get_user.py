"""Gets a user by id or by e-mail address."""

from __future__ import annotations

from functools import partial

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import GetUserByEmailRequest, GetUserRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.refusal import Violation, not_found
from symphony_server.rules.names import name_key
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call


def get_user(snapshot: Snapshot, call: Call, request: GetUserRequest) -> User:
    """The user with the id."""
    return readable_user(snapshot, call, request.id, field="id")


def readable_user(snapshot: Snapshot, call: Call, user_id: str, *, field: str) -> User:
    """The user with an id, if the caller may read it."""
    call.resource_id = user_id
    user = snapshot.users.get(user_id)
    facts = None if user is None else Facts(owner_id=user.id)
    absent = partial(not_found, "user", user_id, field=field)
    return call.judgement.existing(decide("users.read", call.caller.user, facts), user, absent)


def get_user_by_email(snapshot: Snapshot, call: Call, request: GetUserByEmailRequest) -> User:
    """The user with the address."""
    user = snapshot.users.by_email(name_key(request.email))
    facts = None
    if user is not None:
        owns_any = snapshot.members.owns_any_project(call.caller.user.id)
        facts = Facts(owner_id=user.id, owns_any_project=owns_any)
    absent = partial(
        Violation,
        ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND,
        "there is no user with this address that you may read",
        field="email",
        subject=request.email,
        metadata={"resource_type": "user"},
    )
    return call.judgement.existing(decide("users.find", call.caller.user, facts), user, absent)
