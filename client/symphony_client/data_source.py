"""What every adapter is: something that answers the contract's requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse


@dataclass(frozen=True, slots=True)
class Answer:
    """What a data source answered."""

    message: Any
    """The response that the contract names for the request."""
    revision: int | None = None
    """The store's revision after a write; None of a read."""


class DataSource(Protocol):
    """Answers requests of the contract, for one user.

    Wrappers are data sources too, and stack: each answers what it can, and hands on the rest. A
    data source opens what it needs with its first call, and keeps it until it is closed. It
    belongs to one event loop.
    """

    async def call(self, request: Message) -> Answer:
        """Return what the contract's method for this kind of request answers.

        Raises:
            DataError: the request was refused, or not answered. What is not there is NotFound.
            TypeError: it is no unary request of the contract.
        """

    def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """Iterate over the change feed from a revision on, until an error ends it.

        Raises:
            DataError: of the iteration. OperationNotSupported where there is no feed.
        """

    def acting_as(self, user_id: str) -> Self | DataSource:
        """Return the same source with another user's eyes and rights; it shares what this one
        has open, and is closed with it. Takes the role SERVICE or ADMIN.
        """

    async def close(self) -> None:
        """Give up what is open; calls under way may fail. To close twice is no error."""
