"""The messages of the change feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from symphony.v1.change_pb2 import Change, ChangeOperation, Checkpoint, ResourceKind
from symphony.v1.change_service_pb2 import WatchResponse
from symphony_server.clock import now_us, set_timestamp
from symphony_server.store.change_log import Entry
from symphony_server.use_cases.changes.turned import Turned

CREATED: Final = ChangeOperation.CHANGE_OPERATION_CREATED
UPDATED: Final = ChangeOperation.CHANGE_OPERATION_UPDATED
DELETED: Final = ChangeOperation.CHANGE_OPERATION_DELETED

_FIELDS: Final[Mapping[int, str]] = {
    number: name.removeprefix("RESOURCE_KIND_").lower() for name, number in ResourceKind.items()
}
"""Resource kind → the field of Change that has the resource."""


def change_message(entry: Entry, operation: ChangeOperation.ValueType) -> bytes:
    """A change as somebody sees it for whom it was this operation."""
    change = Change(
        revision=entry.revision,
        kind=entry.kind,  # type: ignore[arg-type]
        resource_id=entry.resource_id,
        operation=operation,
        request_id=entry.request_id,
    )
    if operation != DELETED:
        resource: Any = getattr(change, _FIELDS[entry.kind])
        resource.ParseFromString(entry.resource)
        resource.SetInParent()
    return WatchResponse(change=change).SerializeToString()


def turned_message(entry: Entry, turned: Turned) -> bytes:
    """A resource that a change of rights brought into view or took out of it.

    It carries the revision before that change: who loses the stream amid many of them and
    resumes from the last it saw gets all of them again, and none is missed.
    """
    change = Change(
        revision=entry.revision - 1,
        kind=turned.kind,  # type: ignore[arg-type]
        resource_id=turned.resource_id,
        operation=DELETED if turned.message is None else CREATED,
        request_id=entry.request_id,
    )
    if turned.message is not None:
        getattr(change, _FIELDS[turned.kind]).CopyFrom(turned.message)
    return WatchResponse(change=change).SerializeToString()


def checkpoint_message(revision: int) -> bytes:
    """That everything up to a revision has been sent."""
    checkpoint = Checkpoint(revision=revision)
    set_timestamp(checkpoint.time, now_us())
    return WatchResponse(checkpoint=checkpoint).SerializeToString()
