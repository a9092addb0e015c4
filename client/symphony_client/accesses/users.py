"""Users."""

from __future__ import annotations

from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    GetUserRequest,
    UpdateUserRequest,
)
from symphony_client.accesses.resources import Resources, read


class Users(Resources[User]):
    """A `UserDataAccess`."""

    _KIND = "user"
    _PLURAL = "users"
    _GET = GetUserRequest
    _UPDATE = UpdateUserRequest

    async def create_user(self, request: CreateUserRequest) -> User:
        """See `UserDataAccess.create_user`."""
        user: User = await self._ask(request)
        return user

    async def delete(self, resource_id: str, *, etag: str = "", request_id: str = "") -> None:
        """See `DataStore.delete`."""
        await self._ask(DeleteUserRequest(id=resource_id, etag=etag, request_id=request_id))

    async def find_by_email(self, email: str) -> User | None:
        """See `UserDataAccess.find_by_email`."""
        found: User | None = await read(self._source, GetUserByEmailRequest(email=email))
        return found

    async def get_user_capabilities(self, user_id: str) -> UserCapabilities:
        """See `UserDataAccess.get_user_capabilities`."""
        found: UserCapabilities = await self._ask(GetUserCapabilitiesRequest(user_id=user_id))
        return found

    async def _create(self, entity: User, request_id: str) -> User:
        return await self.create_user(
            CreateUserRequest(
                email=entity.email,
                name=entity.name,
                tier=entity.tier,
                roles=entity.roles,
                request_id=request_id,
            )
        )
