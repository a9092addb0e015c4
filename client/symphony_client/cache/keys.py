"""Which reads are kept, and under what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from google.protobuf.message import Message

from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest
from symphony_client.resources.kinds import KINDS

Identity = str | None
"""Whose eyes: the user that is acted for, or None for the source's own."""

_ID_FIELDS: Final[Mapping[type[Message], str]] = {
    **{kind.get_request: "id" for kind in KINDS if kind.get_request is not None},
    GetProjectConstraintsRequest: "project_id",
}
"""Request → its field with the id of the resource whose changes change the answer.

These are all that the change feed tells of. What it does not is never kept: a user's capabilities
depend on what it owns, and an e-mail address may become another's.
"""

WATCHED_KINDS: Final = tuple(kind.number for kind in KINDS if kind.get_request is not None)
"""The kinds whose changes concern what is kept. A change of a membership need not be heard: what
it takes from sight is told by itself, as DELETED."""


class Key(NamedTuple):
    """What an answer is kept under: nobody else's read has the same."""

    identity: Identity
    request: type[Message]
    resource_id: str


def key_of(identity: Identity, request: Message) -> Key | None:
    """The key of a read; None if its answer is not kept."""
    field = _ID_FIELDS.get(type(request))
    return None if field is None else Key(identity, type(request), getattr(request, field))


def keys_of(identity: Identity, resource_id: str) -> Iterator[Key]:
    """All keys under which something of a resource may be kept for a user."""
    return (Key(identity, request, resource_id) for request in _ID_FIELDS)
