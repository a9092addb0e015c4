"""Writes refusals to the audit log, and puts floods of them together.

Anybody can send garbage, so failed authentications and requests that do not parse become
one record a second and peer, with a count; so do, by user, requests beyond the tier's rate.
A disk cannot be filled with them.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Final

from google.rpc import code_pb2

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.doors import Store
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.recording import record_failed, record_refused

_log = logging.getLogger(__name__)

FLOOD_SECONDS: Final = 1.0
UNRECORDED: Final = frozenset({code_pb2.UNAVAILABLE})
"""Not decisions about the request: the store could not keep a record, or it is to be retried."""
MALFORMED_RULES: Final = frozenset({"request.malformed", "request.max_bytes"})


@dataclass(slots=True)
class _Flood:
    """What a peer or a user did since its last record."""

    call: Call
    violations: tuple[Violation, ...]
    count: int


class RefusalLog:
    """Records refusals; lives on the event loop's thread."""

    def __init__(self, store: Store) -> None:
        """Take the store that keeps the audit log."""
        self._store = store
        self._floods: dict[tuple[str, str], _Flood] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def record(self, call: Call, refused: Refused, peer: str) -> None:
        """Record a refusal and note its id as the call's decision.

        Raises Refused with STORE_UNAVAILABLE when it cannot be recorded. A refusal that is
        part of a flood gets no record of its own and no decision id.
        """
        first = refused.first
        if first.code in UNRECORDED:
            return
        source = _flood_source(call, first, peer)
        if source:
            key = (source, first.reason_name)
            flood = self._floods.get(key)
            if flood is not None:
                flood.count += 1
                return
            self._floods[key] = _Flood(replace(call), refused.violations, 0)
            asyncio.get_running_loop().call_later(FLOOD_SECONDS, self._end_second, key)
        await self._store.write(
            lambda transaction: record_refused(transaction, call, refused.violations)
        )

    async def record_fault(self, call: Call) -> None:
        """Record a fault of the server, as far as the store still can."""
        try:
            await self._store.write(lambda transaction: record_failed(transaction, call))
        except Exception:
            ids = {"request_id": call.request_id}
            _log.warning("a fault could not be recorded", exc_info=True, extra=ids)

    async def close(self) -> None:
        """Record what is still counted."""
        for key in list(self._floods):
            self._end_second(key)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end_second(self, key: tuple[str, str]) -> None:
        flood = self._floods.pop(key, None)
        if flood is None or flood.count == 0:
            return
        task = asyncio.ensure_future(self._record_flood(flood))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _record_flood(self, flood: _Flood) -> None:
        call = replace(flood.call, decision_id="")
        try:
            await self._store.write(
                lambda transaction: record_refused(transaction, call, flood.violations, flood.count)
            )
        except Exception:
            _log.warning("%d refusals could not be recorded", flood.count, exc_info=True)


def _flood_source(call: Call, first: Violation, peer: str) -> str:
    """From whom a flood of such refusals would come; empty when they are few by themselves."""
    if first.reason == ErrorReason.ERROR_REASON_RATE_LIMITED:
        return call.caller.user.id
    if first.code == code_pb2.UNAUTHENTICATED or first.rule in MALFORMED_RULES:
        return peer
    return ""
