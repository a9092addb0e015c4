"""One user with one token, for targets that authenticate without a database."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from symphony.v1.access_pb2 import Token
from symphony.v1.user_pb2 import Role, User, UserState
from symphony_server.access.credentials import secret_hash

T = TypeVar("T")

SECRET: Final = "sym_" + "0" * 42 + "1" + "4FdABc"
USER: Final = User(
    id="user_01h455vb4pex5vsknk084sn02q",
    email="ada@example.com",
    name="Ada",
    roles=[Role.ROLE_DEVELOPER],
    state=UserState.USER_STATE_ACTIVE,
)
TOKEN: Final = Token(id="token_01h455vb4pex5vsknk084sn02q", user_id=USER.id, name="test")


class KnownIdentities:
    """The identities of a store that has one user; takes only what both engines take."""

    async def by_secret_hash(self, secret_hash_: bytes) -> tuple[Token, User] | None:
        return (TOKEN, USER) if secret_hash_ == secret_hash(SECRET) else None

    async def by_email(self, email: str) -> User | None:
        _must_be_storable(email)
        return USER if email.lower() == USER.email else None

    async def by_user_id(self, user_id: str) -> User | None:
        _must_be_storable(user_id)
        return USER if user_id == USER.id else None

    def used(self, token_id: str) -> None:
        assert token_id == TOKEN.id


def _must_be_storable(text: str) -> None:
    """SQLite and PostgreSQL take UTF-8, and PostgreSQL no U+0000."""
    text.encode()
    assert "\0" not in text


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that waits for nothing returns."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")
