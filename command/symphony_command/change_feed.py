"""The change feed as long as somebody reads it: begun anew where a stream ends in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import grpc

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_command.services import Server

_GOES_ON: Final = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
"""How a stream ends that has been open for long, or whose server is replaced by another."""


def feed(server: Server, request: WatchRequest) -> Iterator[WatchResponse]:
    """What `Watch` answers, each change once, across the end of a stream.

    Raises:
        grpc.RpcError: it cannot be gone on from where it ended.
    """
    asked = WatchRequest()
    asked.CopyFrom(request)
    at, told = request.start_revision, set[bytes]()
    while True:
        answered = False
        try:
            for response in server.changes.Watch(asked):
                answered = True
                revision = response.change.revision or response.checkpoint.revision
                if revision > at:
                    at, told = revision, set()
                change = response.change.SerializeToString(deterministic=True)
                if response.HasField("checkpoint") or change not in told:
                    told.add(change)
                    yield response
        except grpc.RpcError as error:
            if not answered or error.code() not in _GOES_ON:
                raise
        # Some changes of the last revision may not have come yet; 0 would mean from now.
        asked.start_revision = max(at - 1, 1)
