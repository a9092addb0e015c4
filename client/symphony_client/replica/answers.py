"""What the replica answers to a request: as the server would, from the rows that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import GetExecutionRequest, ListExecutionsRequest
from symphony.v1.extension_service_pb2 import GetExtensionRequest, ListExtensionsRequest
from symphony.v1.project_service_pb2 import (
    GetProjectConstraintsRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
)
from symphony.v1.user_service_pb2 import GetUserRequest
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_client.errors import (
    NotFound,
    PreValidationFailed,
    StatusDetails,
    ValidationFailed,
)
from symphony_client.prevalidation import ContractRules
from symphony_client.prevalidation.nul_texts import texts_with_nul
from symphony_client.replica.page_tokens import page_token, read_page_token
from symphony_client.replica.replica import Replica
from symphony_client.resources.kinds import PROJECT, USER, Kind, kinds_by_request

_NANOS_A_SECOND: Final = 1_000_000_000


class ReplicaAnswers:
    """Answers Get and List requests from a replica.

    ListUsers is not among them: who may list users is the server's to say, and the replica shows
    for a moment part of what a change of roles gave or took.
    """

    def __init__(self, replica: Replica) -> None:
        """Read from `replica`, which is to be whole when it is asked."""
        self._replica = replica
        self._rules = ContractRules()

    def to(self, request: Message) -> Message | None:
        """The response, or None where the server is to be asked.

        Raises:
            NotFound: the replica has no such resource, so the user may read none.
            PreValidationFailed: the request breaks the contract's rules.
            ReplicaUnusable: the rows cannot be read.
        """
        answer = _ANSWERS.get(type(request))
        if answer is None or _has_odd_times(request):
            return None
        with_nul = list(texts_with_nul(request))
        if with_nul:
            # As the server says it: pre-validation would let them pass.
            told = PreValidationFailed(with_nul)
            raise ValidationFailed(told.message, told.status)
        self._rules.should_attempt_request(request)
        response: Message | None = answer(self, request)
        return response

    def _get(self, request: Any) -> Any:
        kind = kinds_by_request()[type(request)]
        return self._existing(kind, request.id, field="id")

    def _get_user(self, request: Any) -> Any:
        # Others are in the replica of who sees everything; the rest the server refuses.
        return self._replica.get(USER, request.id)

    def _get_constraints(self, request: Any) -> Any:
        return self._existing(PROJECT, request.project_id, field="project_id").constraints

    def _list_members(self, request: Any) -> Any:
        self._existing(PROJECT, request.project_id, field="project_id")
        return self._list(request)

    def _list(self, request: Any) -> Any:
        start = None
        if request.page_token:
            start = read_page_token(request)
            if start is None:
                return None
        kind = kinds_by_request()[type(request)]
        found, end = self._replica.find(kind, request, start)
        token = "" if end is None else page_token(request, end)
        return kind.list_response(**{kind.plural: found}, next_page_token=token)

    def _existing(self, kind: Kind, resource_id: str, *, field: str) -> Any:
        found = self._replica.get(kind, resource_id)
        if found is None:
            raise not_found(kind, resource_id, field=field)
        return found


def is_answerable(request: Message) -> bool:
    """Whether a replica answers such requests at all."""
    return type(request) in _ANSWERS


def not_found(kind: Kind, resource_id: str, *, field: str) -> NotFound:
    """The server's answer for what is not there, and for what the user may not know of."""
    return NotFound(
        f"{field}: there is no {kind.field} {resource_id} that you may read",
        StatusDetails(
            status_code=grpc.StatusCode.NOT_FOUND,
            reason="RESOURCE_NOT_FOUND",
            metadata={"resource_type": kind.field},
            resource_type=kind.field,
            resource_name=resource_id,
        ),
    )


_ANSWERS: Final[Mapping[type[Message], Callable[[ReplicaAnswers, Any], Any]]] = {
    GetUserRequest: ReplicaAnswers._get_user,
    GetProjectRequest: ReplicaAnswers._get,
    GetProjectConstraintsRequest: ReplicaAnswers._get_constraints,
    GetWorkflowRequest: ReplicaAnswers._get,
    GetExecutionRequest: ReplicaAnswers._get,
    GetExtensionRequest: ReplicaAnswers._get,
    ListProjectsRequest: ReplicaAnswers._list,
    ListProjectMembersRequest: ReplicaAnswers._list_members,
    ListWorkflowsRequest: ReplicaAnswers._list,
    ListExecutionsRequest: ReplicaAnswers._list,
    ListExtensionsRequest: ReplicaAnswers._list,
}


def _has_odd_times(request: Any) -> bool:
    """Whether a filter's time has nanoseconds that no time has; the server refuses it in words
    that are not in the contract's rules.
    """
    return any(
        not 0 <= value.nanos < _NANOS_A_SECOND
        for field, value in request.ListFields()
        if field.name.startswith("create_time_")
    )
