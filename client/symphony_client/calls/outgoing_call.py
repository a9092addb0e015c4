"""A call on its way out, in terms that both APIs of gRPC have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grpc
from google.protobuf.message import Message

from symphony_client.contract_methods import ContractMethod, contract_methods

Metadata = tuple[tuple[str, str | bytes], ...]
Ended = Callable[[grpc.StatusCode, Metadata], None]
"""Is told how a call ended: its code and its trailing metadata."""


@dataclass(slots=True)
class OutgoingCall:
    """One call, which the concerns complete; what the caller handed over is not changed."""

    path: str
    """The method as gRPC names it: `/symphony.v1.WorkflowService/CreateWorkflow`."""
    request: object
    """What is to be sent: a message, for methods that take one; else an iterator of messages."""
    timeout_seconds: float | None
    """How long the call may take; None if nobody has said."""
    metadata: Metadata = field(repr=False)
    """The headers, the caller's first."""
    ended: list[Ended] = field(default_factory=list)
    """Those to be told of the end, if the call is made."""

    @property
    def method(self) -> ContractMethod | None:
        """What the contract says of the method; None for one that is not in it."""
        return contract_methods().get(self.path)

    @property
    def message(self) -> Message | None:
        """The request, where there is exactly one."""
        return self.request if isinstance(self.request, Message) else None


class Concern(Protocol):
    """One thing that every call needs.

    It completes the call in place, where the caller left something open, and never overrides
    what the caller did say. It takes no time to speak of: it runs on the event loop too.
    """

    def prepare(self, call: OutgoingCall) -> None:
        """Completes `call`.

        Raises:
            PreValidationFailed: the call is not worth making.
        """


def prepare(concerns: Sequence[Concern], call: OutgoingCall) -> OutgoingCall:
    """Returns `call` with all concerns seen to, in their order."""
    for concern in concerns:
        concern.prepare(call)
    return call
