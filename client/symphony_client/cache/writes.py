"""What one's own writes make out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import RevokeTokenRequest
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_service_pb2 import DeleteUserRequest, UpdateUserRequest
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest

_REACH_ANYTHING: Final = frozenset(
    {
        ExecuteTransactionRequest,
        # These change who may see what.
        AddProjectMemberRequest,
        UpdateProjectMemberRequest,
        RemoveProjectMemberRequest,
        UpdateUserRequest,
        DeleteUserRequest,
        RevokeTokenRequest,
    }
)
_REACH_EXECUTIONS: Final = frozenset({UpdateWorkflowRequest, DeleteWorkflowRequest})
"""An execution goes with its workflow, and is seen by whom the workflow is shared with."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a write may have changed."""

    anything: bool
    """Whether it is not known what."""
    resource_ids: frozenset[str]
    """The resources that the request or the response names."""
    their_executions: bool
    """Whether the executions of the workflows among them, too."""


def reach(request: Message, response: Message | None) -> Reach:
    """What a write may have changed; without a response it may have happened all the same."""
    ids = set(_ids(request))
    if response is not None:
        ids.update(_ids(response))
    return Reach(
        anything=type(request) in _REACH_ANYTHING,
        resource_ids=frozenset(ids),
        their_executions=type(request) in _REACH_EXECUTIONS,
    )


def _ids(message: Message) -> Iterator[str]:
    """The ids that a message names, but in its lists: no write but a transaction writes many."""
    for field, value in message.ListFields():
        if field.is_repeated:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            yield from _ids(value)
        elif field.name == "id" or field.name.endswith("_id"):
            yield value
