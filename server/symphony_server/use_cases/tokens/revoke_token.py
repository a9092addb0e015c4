"""Revokes an access token."""

from __future__ import annotations

from functools import partial

from google.protobuf.empty_pb2 import Empty

from symphony.v1.access_service_pb2 import RevokeTokenRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call


def revoke_token(transaction: Transaction, call: Call, request: RevokeTokenRequest) -> Empty:
    """Nothing; the token is refused from the next call on."""
    call.resource_id = request.id
    token = transaction.tokens.get(request.id)
    facts = None if token is None else Facts(owner_id=token.user_id)
    decision = decide("tokens.revoke", call.caller.user, facts)
    call.judgement.existing(decision, token, partial(not_found, "token", request.id))
    call.judgement.conclude()
    transaction.tokens.delete(request.id)
    return Empty()
