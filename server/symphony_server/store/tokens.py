"""Access tokens: rows ↔ messages, and the statements on them. Secrets are never kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symphony.v1.access_pb2 import Token
from symphony.v1.user_pb2 import User
from symphony_server.clock import set_timestamp
from symphony_server.store import tables, users
from symphony_server.store.statements import Compiler, param

T = tables.Token
COLUMNS = (
    T.id,
    T.user_id,
    T.name,
    T.scopes,
    T.create_time,
    T.expire_time,
    T.last_used_time,
)


def token_message(row: Sequence[Any]) -> Token:
    """The message of a row with `COLUMNS`; a time of 0 means never and is not set."""
    token_id, user_id, name, scopes, create_time, expire_time, last_used_time = row
    token = Token(id=token_id, user_id=user_id, name=name, scopes=scopes.split())
    set_timestamp(token.create_time, create_time)
    if expire_time:
        set_timestamp(token.expire_time, expire_time)
    if last_used_time:
        set_timestamp(token.last_used_time, last_used_time)
    return token


class Tokens:
    """The tokens of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._by_hash = compiled(
            T.select(*COLUMNS, *users.COLUMNS)
            .join(users.T, on=(users.T.id == T.user_id))
            .where(T.secret_hash == param("hash")),
            "hash",
        )
        self._get = compiled(T.select(*COLUMNS).where(T.id == param("id")), "id")
        self._insert = compiled.insert(T)
        self._delete = compiled.delete(T, T.id == param("id"), "id")
        self._delete_all = compiled.delete(T, T.user_id == param("user"), "user")
        self._touch = compiled.update(T, (T.last_used_time,), T.id == param("id"), "id")

    def by_hash(self, secret_hash: bytes) -> tuple[Token, User] | None:
        """The token with this SHA-256 and its user, or None."""
        row = self._by_hash(secret_hash).fetchone()
        if row is None:
            return None
        split = len(COLUMNS)
        return token_message(row[:split]), users.user_message(row[split:])

    def get(self, token_id: str) -> Token | None:
        """The token with an id, or None."""
        row = self._get(token_id).fetchone()
        return None if row is None else token_message(row)

    def insert(
        self, token: Token, *, secret_hash: bytes, time_us: int, expire_time_us: int
    ) -> None:
        """Add a token; an expiry of 0 means never."""
        self._insert(
            token.id,
            token.user_id,
            token.name,
            secret_hash,
            " ".join(token.scopes),
            time_us,
            expire_time_us,
            0,
        )

    def delete(self, token_id: str) -> None:
        """Revoke a token."""
        self._delete(token_id)

    def delete_all(self, user_id: str) -> None:
        """Revoke every token of a user."""
        self._delete_all(user_id)

    def touch(self, token_id: str, time_us: int) -> None:
        """Note that a token was used."""
        self._touch(time_us, token_id)
