"""Tells what the server is and what it takes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from symphony.v1.server_info_pb2 import ServerInfo, ServerLimits, TierLimits
from symphony.v1.user_pb2 import Tier
from symphony_server.clock import MICROSECONDS
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from symphony_server.use_cases.write import REQUEST_ID_RETENTION_US

CONTRACT_VERSION: Final = "symphony.v1"
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_MANIFEST_BYTES: Final = 256 * 1024
MAX_WORKFLOW_STEPS: Final = 1000
MAX_TRANSACTION_OPERATIONS: Final = 100
_TIERS: Final = (Tier.TIER_FREE, Tier.TIER_PRO, Tier.TIER_ENTERPRISE)


def get_server_info(call: Call) -> ServerInfo:
    """Version, services and limits; the same for every caller."""
    limits = ServerLimits(
        max_request_bytes=MAX_REQUEST_BYTES,
        max_page_size=MAX_PAGE_SIZE,
        default_page_size=DEFAULT_PAGE_SIZE,
        max_workflow_steps=MAX_WORKFLOW_STEPS,
        max_manifest_bytes=MAX_MANIFEST_BYTES,
        max_transaction_operations=MAX_TRANSACTION_OPERATIONS,
    )
    limits.request_id_retention.FromSeconds(REQUEST_ID_RETENTION_US // MICROSECONDS)
    for tier in _TIERS:
        limits.tiers.append(_tier(call, tier))
    return ServerInfo(
        version=version("symphony-data"),
        contract_version=CONTRACT_VERSION,
        capabilities=call.deployment.services,
        limits=limits,
    )


def _tier(call: Call, tier: Tier.ValueType) -> TierLimits:
    limits = call.deployment.tiers.for_tier(tier)
    message = TierLimits(
        tier=tier,
        max_workflows=limits.max_workflows or 0,
        max_workflow_steps=limits.max_workflow_steps or 0,
        max_extensions=limits.max_extensions or 0,
        requests_per_second=limits.requests_per_second or 0,
        request_burst=limits.request_burst if limits.requests_per_second else 0,
    )
    if limits.max_estimated_duration_seconds is not None:
        message.max_estimated_duration.FromSeconds(limits.max_estimated_duration_seconds)
    return message
