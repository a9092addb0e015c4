"""Tells who is calling."""

from __future__ import annotations

from symphony.v1.access_service_pb2 import WhoAmIRequest, WhoAmIResponse
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call


def who_am_i(snapshot: Snapshot, call: Call, request: WhoAmIRequest) -> WhoAmIResponse:
    """The user whose permissions hold, the user whose credential it is, and the credential."""
    caller = call.caller
    return WhoAmIResponse(
        user=snapshot.users.get(caller.user.id),
        caller=snapshot.users.get(caller.principal.id),
        credential_kind=caller.credential_kind,
        token=caller.token,
    )
