"""The frame around every write: retries, the action itself, `validate_only`, the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.clock import DAY_US
from symphony_server.refusal import Refused, Violation
from symphony_server.store.doors import Store
from symphony_server.store.request_ids import FirstAnswer
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.judgement import Judgement
from symphony_server.use_cases.recording import record_allowed

REQUEST_ID_RETENTION_US: Final = DAY_US
"""How long a `request_id` is remembered (contract.md)."""

Action = Callable[[Transaction, Call, Any], Any]
"""An action: judges the request and writes, or raises Refused. Returns the response."""


async def write(store: Store, call: Call, action: Action) -> bytes:
    """Do a write once and return the serialized response.

    Raises Refused; then nothing was written, and the refusal is still to be recorded.
    """
    return await store.write(lambda transaction: perform(transaction, call, action))


def perform(transaction: Transaction, call: Call, action: Action) -> bytes:
    """What one write does inside the transaction."""
    request = call.request
    call.judgement, call.revision = Judgement(all_stages=request.validate_only), None
    if request.validate_only:
        with transaction.savepoint(keep=False):
            response = action(transaction, call, request)
        record_allowed(transaction, call, validated_only=True)
        return bytes(response.SerializeToString())

    fingerprint = b""
    if request.request_id:
        fingerprint = _fingerprint(call)
        first = transaction.request_ids.find(
            call.caller.principal.id,
            request.request_id,
            since_us=transaction.time_us - REQUEST_ID_RETENTION_US,
        )
        if first is not None:
            return _answer_again(call, first, fingerprint)

    response = action(transaction, call, request)
    record_allowed(transaction, call, validated_only=False)
    call.revision = transaction.changes.revision
    answer = bytes(response.SerializeToString())
    if request.request_id:
        transaction.request_ids.remember(
            call.caller.principal.id,
            request.request_id,
            FirstAnswer(fingerprint, _without_secret(response), call.decision_id, call.revision),
            time_us=transaction.time_us,
        )
    return answer


def _answer_again(call: Call, first: FirstAnswer, fingerprint: bytes) -> bytes:
    if first.fingerprint != fingerprint:
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_REQUEST_ID_REUSED,
                    "was used for another request in the last 24 hours; send a new request_id",
                    field="request_id",
                )
            ]
        )
    call.decision_id, call.revision = first.decision_id, first.revision
    return first.answer


def _fingerprint(call: Call) -> bytes:
    said = f"{call.method}\x00{call.caller.user.id}\x00".encode() + call.request_bytes
    return hashlib.sha256(said).digest()


def _without_secret(response: Any) -> bytes:
    """The response as it may be kept: a token's secret is shown once and never stored."""
    if "secret" not in response.DESCRIPTOR.fields_by_name:
        return bytes(response.SerializeToString())
    kept = type(response)()
    kept.CopyFrom(response)
    kept.ClearField("secret")
    return bytes(kept.SerializeToString())
