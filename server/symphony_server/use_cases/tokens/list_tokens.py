"""Lists a user's tokens."""

from __future__ import annotations

from symphony.v1.access_service_pb2 import ListTokensRequest, ListTokensResponse
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.store.listings import TOKENS
from symphony_server.store.tokens import token_message
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, read_page


def list_tokens(snapshot: Snapshot, call: Call, request: ListTokensRequest) -> ListTokensResponse:
    """A page of the user's tokens, without their secrets."""
    user_id = request.user_id or call.caller.user.id
    call.resource_id = user_id
    decision = decide("tokens.list", call.caller.user, Facts(owner_id=user_id))
    call.judgement.decided(decision)
    call.judgement.conclude()
    tokens, next_token = read_page(
        snapshot, call, request, TOKENS, token_message, given(user_id=user_id), everything=True
    )
    return ListTokensResponse(tokens=tokens, next_page_token=next_token)
