"""Registers a user."""

from __future__ import annotations

from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony_client.contracts import UserDataAccess
from symphony_client.prevalidation import PreValidator, UserPreValidator, unless_switched_off


class RegisterUserUseCase:
    """Pre-validates, then makes one call."""

    def __init__(
        self, users: UserDataAccess, pre_validator: PreValidator[CreateUserRequest] | None = None
    ) -> None:
        """Make users through `users`."""
        self._users = users
        self._pre_validator = pre_validator or unless_switched_off(UserPreValidator)

    async def execute(self, request: CreateUserRequest) -> User:
        """Return the user as it was made.

        Raises:
            PreValidationFailed: the request is wrong as it stands; nothing was called.
            AlreadyExists: the e-mail address is taken.
            DataError: what else the server says of it.
        """
        self._pre_validator.should_attempt_request(request)
        return await self._users.create_user(request)
