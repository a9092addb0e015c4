"""What a mock data source holds, and how one write changes it."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from symphony.v1.change_pb2 import Change, ChangeOperation
from symphony.v1.user_pb2 import UserCapabilities
from symphony_client.data_source import Answer
from symphony_client.mock_world.change_feed import ChangeFeed, Recorded
from symphony_client.mock_world.identifiers import counted_id
from symphony_client.resources.kinds import EXECUTION, PROJECT, WORKFLOW, Kind
from symphony_client.resources.resource_table import ResourceTable

START_US: Final = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z, in microseconds: when every world begins."""
WRITE_US: Final = 1000
"""How much time each write takes."""


class World:
    """The resources and what is remembered of calls; shared by all who act in it."""

    def __init__(self) -> None:
        """Begin with nothing, at `START_US`."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, connection.close)
        self.table = ResourceTable(connection)
        self.time_us = START_US
        self.feed = ChangeFeed(START_US)
        self.caller_id = ""
        """Whose credential it would be: the first user's; empty while there is none."""
        self.capabilities: dict[str, UserCapabilities] = {}
        """Those that were set for a user, by its id."""
        self.first_answers: dict[str, tuple[bytes, Answer]] = {}
        """Fingerprint of the request and its answer, by `request_id`."""

    def where(self, kind: Kind, **values: object) -> list[Any]:
        """The resources of a kind whose fields have these values, in the order of their ids."""
        return [
            resource
            for resource in self.table.all(kind)
            if all(getattr(resource, field) == value for field, value in values.items())
        ]

    @contextmanager
    def write(self, user_id: str, request_id: str = "", *, keep: bool = True) -> Iterator[Write]:
        """One write: all of what the block does, or nothing if it raises or is not to be kept."""
        write = Write(self, user_id, request_id)
        with self.table.transaction(keep=keep):
            yield write
        if keep:
            self.time_us = write.time_us
            self.feed.append(write.changes, time_us=write.time_us)


class Write:
    """One write under way, at one moment, by one user."""

    def __init__(self, world: World, user_id: str, request_id: str) -> None:
        """Begin it; `World.write` does."""
        self.world = world
        self.user_id = user_id
        self.request_id = request_id
        self.time_us = world.time_us + WRITE_US
        self.changes: list[Recorded] = []
        self._ids = 0

    def new_id(self, kind: Kind) -> str:
        """An id that no resource of the kind has."""
        while True:
            self._ids += 1
            made = counted_id(kind.field, self.time_us, self._ids)
            if self.world.table.get(kind, made) is None:
                return made

    def create(self, kind: Kind, resource: Any) -> Any:
        """Keep a new resource as of now, and return it."""
        resource.create_time.FromMicroseconds(self.time_us)
        return self._put(kind, _stamped(resource, self.time_us), CREATED)

    def update(self, kind: Kind, resource: Any) -> Any:
        """Keep a changed resource, with an etag that it has not had, and return it."""
        return self._put(kind, _stamped(resource, self.time_us + len(self.changes)), UPDATED)

    def place(self, kind: Kind, resource: Any) -> Any:
        """Keep a resource as it is, new or not, and return it."""
        is_new = self.world.table.get(kind, kind.id_of(resource)) is None
        return self._put(kind, resource, CREATED if is_new else UPDATED)

    def delete(self, kind: Kind, resource: Any) -> None:
        """Forget a resource."""
        self._record(kind, resource, DELETED)
        self.world.table.remove(kind, kind.id_of(resource))

    def _put(self, kind: Kind, resource: Any, operation: ChangeOperation.ValueType) -> Any:
        self.world.table.put(kind, resource)
        self._record(kind, resource, operation)
        return resource

    def _record(self, kind: Kind, resource: Any, operation: ChangeOperation.ValueType) -> None:
        change = Change(
            kind=kind.number,
            resource_id=kind.id_of(resource),
            operation=operation,
            request_id=self.request_id,
        )
        if operation != DELETED:
            getattr(change, kind.field).CopyFrom(resource)
        self.changes.append(Recorded(change, self._project_of(kind, resource)))

    def _project_of(self, kind: Kind, resource: Any) -> str:
        if kind is EXECUTION:
            resource = self.world.table.get(WORKFLOW, resource.workflow_id)
        return str(resource.id if kind is PROJECT else getattr(resource, "project_id", ""))


CREATED: Final = ChangeOperation.CHANGE_OPERATION_CREATED
UPDATED: Final = ChangeOperation.CHANGE_OPERATION_UPDATED
DELETED: Final = ChangeOperation.CHANGE_OPERATION_DELETED


def _stamped(resource: Any, time_us: int) -> Any:
    """The resource with the time of its last change and another etag, if it has such fields."""
    fields = resource.DESCRIPTOR.fields_by_name
    if "etag" in fields:
        # One that came from another world may have the etag that is about to be made.
        time_us += f"{time_us:x}" == resource.etag
        resource.etag = f"{time_us:x}"
    if "update_time" in fields:
        resource.update_time.FromMicroseconds(time_us)
    return resource
