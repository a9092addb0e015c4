"""Calls with bytes instead of messages, and what the contract says of every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import json_format

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony_client.contract_methods import contract_methods
from tests.server.world import Refusal, read_refusal

TIMEOUT_SECONDS: Final = 20
REASONS: Final = {
    value.name.removeprefix("ERROR_REASON_"): value.GetOptions().Extensions[policy_pb2.code]
    for value in error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"].values
    if value.number
}
"""ErrorReason → `google.rpc.Code`, as the contract's `code` option says."""
MAX_DETAILS_BYTES: Final = 2048
"""gRPC refuses large ones at random, so the contract keeps them small, base64 copy included."""
_INSIDES: Final = re.compile(
    r"Traceback|File \"|\.py\b|Exception\b|\b[A-Z][a-z]+Error\b|object at 0x|<class |NoneType|_pb2|"
    r"(?i:sqlite|peewee|psycopg|libpq|protovalidate|symphony_server|site-packages)|"
    r"\bSELECT\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|/(?:home|root|tmp|usr|var)/"
)
"""What only the server's own code says: tracebacks, modules, statements, paths."""

Metadata = Sequence[tuple[str, str | bytes]]


@dataclass
class Wire:
    """A channel to a server, and a credential."""

    channel: grpc.Channel
    token: str = ""

    @property
    def credentials(self) -> Metadata:
        return (("authorization", f"Bearer {self.token}"),)

    def as_user(self, token: str) -> Wire:
        return Wire(self.channel, token)

    def send(self, method: str, body: bytes, metadata: Metadata | None = None) -> Refusal | None:
        """Send bytes; the refusal, held against the contract, or None when it was allowed."""
        answer = self.ask(method, body, metadata)
        return answer if isinstance(answer, Refusal) else None

    def ask(self, method: str, body: bytes, metadata: Metadata | None = None) -> Refusal | bytes:
        """Send bytes; the answer's, or the refusal, held against the contract."""
        try:
            return self.answer(method, body, metadata)
        except grpc.RpcError as error:
            refusal = read_refusal(error)
            is_canonical(refusal)
            return refusal

    def answer(
        self,
        method: str,
        body: bytes,
        metadata: Metadata | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> bytes:
        """Send bytes and return those of the answer. Raises grpc.RpcError."""
        call: Any = self.channel.unary_unary(f"/{method}")
        answer: bytes = call(
            body,
            metadata=self.credentials if metadata is None else metadata,
            timeout=timeout_seconds,
        )
        return answer

    def begin(self, method: str, body: bytes) -> Any:
        """Send bytes and return the call without waiting for its answer."""
        call: Any = self.channel.unary_unary(f"/{method}")
        return call.future(body, metadata=self.credentials, timeout=TIMEOUT_SECONDS)

    def send_messages(self, method: str, *bodies: bytes) -> Refusal | None:
        """The same with any number of messages, for methods that take one."""
        call: Any = self.channel.stream_unary(f"/{method}")
        sent: Iterator[bytes] = iter(bodies)
        try:
            call(sent, metadata=self.credentials, timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            refusal = read_refusal(error)
            is_canonical(refusal)
            return refusal
        return None


def tells_insides(text: str) -> bool:
    """True for a text that lets its reader see how the server is made."""
    return _INSIDES.search(text) is not None


def shows_as_json(method: str, answer: bytes) -> None:
    """Every tool shows answers as JSON, which cannot say all that bytes can. Raises where not."""
    response = contract_methods()[f"/{method}"].response
    json_format.MessageToJson(response.FromString(answer))


def is_canonical(refusal: Refusal) -> None:
    """What the contract promises of every error, and never the server's own fault."""
    assert refusal.code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), refusal
    assert refusal.reason in REASONS, refusal
    assert refusal.code.value[0] == REASONS[refusal.reason], refusal
    assert refusal.details["ErrorInfo"].domain == "symphony.v1"
    assert refusal.metadata["request_id"] == refusal.trailing["x-request-id"]
    assert refusal.message
    told = (
        refusal.message,
        *map(str, refusal.details.values()),
        *map(str, refusal.trailing.values()),
    )
    for text in told:
        assert not tells_insides(text), refusal
    details = refusal.trailing["grpc-status-details-bin"]
    assert len(details) <= MAX_DETAILS_BYTES, refusal
