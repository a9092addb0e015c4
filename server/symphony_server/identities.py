"""Users and tokens, looked up in the store for whoever authenticates."""

from __future__ import annotations

import asyncio
import logging

from symphony.v1.access_pb2 import Token
from symphony.v1.user_pb2 import User
from symphony_server.clock import now_us
from symphony_server.rules.names import name_key
from symphony_server.store.doors import Store

_log = logging.getLogger(__name__)


class StoredIdentities:
    """The identities of a store; lives on the event loop's thread."""

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store
        self._noting: dict[str, asyncio.Task[None]] = {}

    async def by_secret_hash(self, secret_hash: bytes) -> tuple[Token, User] | None:
        """The token with this SHA-256 and its user, or None."""
        return await self._store.point_read(lambda snapshot: snapshot.tokens.by_hash(secret_hash))

    async def by_email(self, email: str) -> User | None:
        """The user with an address, compared without regard to case, or None."""
        return await self._store.point_read(
            lambda snapshot: snapshot.users.by_email(name_key(email))
        )

    async def by_user_id(self, user_id: str) -> User | None:
        """The user with an id, or None."""
        return await self._store.point_read(lambda snapshot: snapshot.users.get(user_id))

    def used(self, token_id: str) -> None:
        """Note that a token was used, in the background; a failure is only logged."""
        if token_id not in self._noting:
            task = asyncio.create_task(self._note(token_id))
            self._noting[token_id] = task
            task.add_done_callback(lambda _: self._noting.pop(token_id))

    async def _note(self, token_id: str) -> None:
        time_us = now_us()
        try:
            await self._store.write(lambda transaction: transaction.tokens.touch(token_id, time_us))
        except Exception:
            _log.warning("the use of a token was not noted", exc_info=True)
