"""What the operator does: whoever holds the database, without a credential of its own.

It goes through the same actions, checks and records as everybody; the records name no
caller.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from symphony.v1.user_pb2 import Role, Tier
from symphony_server.access.caller import Caller, Subject
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call, Deployment
from symphony_server.use_cases.recording import record_allowed
from symphony_server.use_cases.write import Action

_OPERATOR: Final = Subject(
    id="", roles=frozenset({Role.ROLE_ADMIN}), tier=Tier.TIER_ENTERPRISE, suspended=False
)


def operator_call(deployment: Deployment, method: str, user: Subject = _OPERATOR) -> Call:
    """A call that the operator makes, for itself or for a user."""
    return Call(
        method=f"operator/{method}",
        permission="",
        deployment=deployment,
        request_id=uuid.uuid4().hex,
        started_ns=time.monotonic_ns(),
        caller=Caller(user=user, principal=_OPERATOR),
    )


def perform_as_operator(
    transaction: Transaction,
    deployment: Deployment,
    action: Action,
    request: Any,
    *,
    user: Subject = _OPERATOR,
) -> Any:
    """Do an action and record it; returns its response. Raises Refused."""
    call = operator_call(deployment, action.__name__, user)
    call.request = request
    response = action(transaction, call, request)
    record_allowed(transaction, call, validated_only=False)
    return response
