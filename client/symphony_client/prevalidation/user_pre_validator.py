"""Requests about users, before they are sent."""

from __future__ import annotations

from typing import TypeAlias

from google.protobuf.message import Message

from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    GetUserRequest,
    ListUsersRequest,
    UpdateUserRequest,
)
from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.pre_validator import PreValidator

UserRequest: TypeAlias = (
    CreateUserRequest
    | GetUserRequest
    | GetUserByEmailRequest
    | UpdateUserRequest
    | DeleteUserRequest
    | ListUsersRequest
    | GetUserCapabilitiesRequest
)
"""What UserService takes."""


class UserPreValidator:
    """A `PreValidator` of what is asked of users: e-mail addresses, names, roles and ids are
    written as the contract says. Whether an address is taken is the server's to know.
    """

    def __init__(self, rules: PreValidator[Message] | None = None) -> None:
        """Judge by `rules`, by default those of the contract."""
        self._rules = rules or ContractRules()

    def should_attempt_request(self, request: UserRequest) -> None:
        """Returns if the request may be sent.

        Raises:
            PreValidationFailed: the server would refuse it; with all that is wrong.
        """
        self._rules.should_attempt_request(request)
