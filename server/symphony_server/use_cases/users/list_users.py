"""Lists users."""

from __future__ import annotations

from symphony.v1.user_service_pb2 import ListUsersRequest, ListUsersResponse
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import NO_FACTS
from symphony_server.store.listings import USERS
from symphony_server.store.transaction import Snapshot
from symphony_server.store.users import user_message
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, name_filters, read_page, time_filters


def list_users(snapshot: Snapshot, call: Call, request: ListUsersRequest) -> ListUsersResponse:
    """A page of users."""
    judgement = call.judgement
    judgement.decided(decide("users.list", call.caller.user, NO_FACTS))
    judgement.conclude()
    filters = (
        given(tier=request.tier, state=request.state)
        | name_filters(request.name_prefix)
        | time_filters(request)
    )
    users, next_token = read_page(
        snapshot, call, request, USERS, user_message, filters, everything=True
    )
    return ListUsersResponse(users=users, next_page_token=next_token)
