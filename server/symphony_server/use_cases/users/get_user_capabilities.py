"""Tells what a user can do now."""

from __future__ import annotations

from symphony.v1.user_pb2 import UserCapabilities
from symphony.v1.user_service_pb2 import GetUserCapabilitiesRequest
from symphony_server.rules.tiers import capabilities
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.users.get_user import readable_user


def get_user_capabilities(
    snapshot: Snapshot, call: Call, request: GetUserCapabilitiesRequest
) -> UserCapabilities:
    """What the user can do, and what stands in the way of the rest."""
    user = readable_user(snapshot, call, request.user_id, field="user_id")
    return capabilities(
        user_id=user.id,
        tier=user.tier,
        roles=user.roles,
        workflows_used=snapshot.users.workflows_owned(user.id),
        table=call.deployment.tiers,
    )
