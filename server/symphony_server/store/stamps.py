"""The three fields that follow from a row's times, in one place for every resource."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from symphony_server.clock import set_timestamp


class Stamped(Protocol):
    """A resource with times and an etag."""

    etag: str

    @property
    def create_time(self) -> Timestamp:
        """When it was made."""

    @property
    def update_time(self) -> Timestamp:
        """When it last changed."""


def stamp(resource: Stamped, *, create_time_us: int, update_time_us: int) -> None:
    """Set a resource's times, and the etag that follows from the last change."""
    set_timestamp(resource.create_time, create_time_us)
    set_timestamp(resource.update_time, update_time_us)
    resource.etag = f"{update_time_us:x}"
