"""Creates a user."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import NO_FACTS, sees_everything
from symphony_server.ids import new_id
from symphony_server.refusal import Violation
from symphony_server.rules.names import name_key
from symphony_server.store.change_log import Standing
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.taken import id_taken


def create_user(transaction: Transaction, call: Call, request: CreateUserRequest) -> User:
    """The new user: FREE, VIEWER and ACTIVE where the request does not say."""
    judgement = call.judgement
    user_id = request.user_id or new_id("user")
    call.resource_id = user_id

    judgement.decided(decide("users.create", call.caller.user, NO_FACTS))
    judgement.end_stage()

    email_key = name_key(request.email)
    taken = email_taken(transaction, email_key, field="email")
    judgement.ask_if_permitted("user.email_free", taken)
    if request.user_id:
        used = transaction.users.get(user_id) is not None
        judgement.ask_if_permitted("user.id_free", id_taken("user_id") if used else None)
    judgement.conclude()

    user = User(
        id=user_id,
        email=request.email,
        name=request.name,
        tier=request.tier or Tier.TIER_FREE,
        roles=request.roles or [Role.ROLE_VIEWER],
        state=request.state or UserState.USER_STATE_ACTIVE,
    )
    stamp(user, create_time_us=transaction.time_us, update_time_us=transaction.time_us)
    transaction.users.insert(
        user, email_key=email_key, name_key=name_key(user.name), time_us=transaction.time_us
    )
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_USER,
        ChangeOperation.CHANGE_OPERATION_CREATED,
        user_id,
        resource=user,
        standing=Standing(user_id, after=sees_everything(user.roles)),
    )
    return user


def email_taken(
    transaction: Transaction, email_key: str, *, field: str, besides: str = ""
) -> Violation | None:
    """The violation of an address that another user has."""
    holder = transaction.users.by_email(email_key)
    if holder is None or holder.id == besides:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_EMAIL_TAKEN,
        "is the address of another user; addresses are compared without regard to case",
        field=field,
    )
