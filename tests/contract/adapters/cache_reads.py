"""Reads of a cache, and which of them it did not answer itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony_client.adapters.cached import CachedDataSource
from tests.contract.adapters.scripted_source import KEPT, ScriptedSource, read, reads_in_flight

LATE = GetExecutionRequest(id="execution_late")


async def asked_again(
    source: CachedDataSource, inner: ScriptedSource, requests: Sequence[Message] = KEPT
) -> list[Message]:
    """Those of some reads that were not answered from what is kept."""
    before = len(inner.calls)
    for request in requests:
        await read(source, request)
    return [call.request for call in inner.calls[before:]]


async def late_read(cached: CachedDataSource, inner: ScriptedSource) -> list[asyncio.Task[Any]]:
    """A read of an execution that is on its way, whatever is asked after it."""
    inner.hold()
    return await reads_in_flight(cached, inner, 1, LATE)
