"""The table of all requests that are answered, and the frame around every write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest, ListProjectMembersRequest
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_service_pb2 import GetUserByEmailRequest, GetUserCapabilitiesRequest
from symphony_client.data_source import Answer
from symphony_client.errors import OperationNotSupported
from symphony_client.mock_world.reading import (
    get,
    get_project_constraints,
    get_user_by_email,
    get_user_capabilities,
    list_page,
    list_project_members,
    who_am_i,
)
from symphony_client.mock_world.refusals import Refused, Wrong
from symphony_client.mock_world.transactions import execute_transaction
from symphony_client.mock_world.world import World
from symphony_client.mock_world.writes import WRITES, Action
from symphony_client.resources.kinds import KINDS

Read = Callable[[World, str, Any], Any]
"""Takes who asks and the request. Returns the response, or raises Refused."""


READS: Final[Mapping[type[Message], Read]] = {
    **{kind.get_request: partial(get, kind) for kind in KINDS if kind.get_request},
    **{kind.list_request: partial(list_page, kind) for kind in KINDS},
    ListProjectMembersRequest: list_project_members,
    GetUserByEmailRequest: get_user_by_email,
    GetUserCapabilitiesRequest: get_user_capabilities,
    GetProjectConstraintsRequest: get_project_constraints,
    WhoAmIRequest: who_am_i,
}
"""Request → what reads the answer to it."""


def answer(world: World, user_id: str, request: Any) -> Answer:
    """What a request of a user is answered with.

    Raises:
        Refused: as the server would.
        OperationNotSupported: there is no answer here to such a request.
    """
    asked = type(request)
    if asked in READS:
        return Answer(READS[asked](world, user_id, request))
    if asked is ExecuteTransactionRequest:
        return _written(world, user_id, request, execute_transaction)
    if asked in WRITES:
        return _written(world, user_id, request, WRITES[asked])
    raise OperationNotSupported(
        f"{asked.__name__} is not answered by the mock data source; ask the local one, which is "
        "the real server: SYMPHONY_DATA_SOURCE=local"
    )


def _written(world: World, user_id: str, request: Any, action: Action) -> Answer:
    """The answer to a write: the first one again, where its `request_id` was there before."""
    request_id = request.request_id
    fingerprint = f"{type(request).__name__} {user_id} ".encode() + request.SerializeToString()
    if request_id in world.first_answers and not request.validate_only:
        said, first = world.first_answers[request_id]
        if said != fingerprint:
            raise Refused(_reused())
        return Answer(_copy(first.message), first.revision)
    with world.write(user_id, request_id, keep=not request.validate_only) as write:
        message = action(write, request)
    if request.validate_only:
        return Answer(message)
    if request_id:
        world.first_answers[request_id] = fingerprint, Answer(_copy(message), world.feed.revision)
    return Answer(message, world.feed.revision)


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _reused() -> Wrong:
    return Wrong(
        reason="REQUEST_ID_REUSED",
        description="was used for another request; send a new request_id",
        field="request_id",
    )
