"""Tokens as the operator keeps them: `symphony token …`, on the database itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from symphony.v1.access_pb2 import Token
from symphony.v1.access_service_pb2 import (
    CreateTokenRequest,
    CreateTokenResponse,
    RevokeTokenRequest,
)
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rules.names import name_key
from symphony_server.store.doors import Store
from symphony_server.store.listings import TOKENS
from symphony_server.store.lists import DEFAULT_ORDER
from symphony_server.store.tokens import token_message
from symphony_server.store.transaction import Snapshot, Transaction
from symphony_server.use_cases.call import Deployment
from symphony_server.use_cases.operator import perform_as_operator
from symphony_server.use_cases.tokens.create_token import create_token
from symphony_server.use_cases.tokens.revoke_token import revoke_token

MOST_LISTED = 1000
_SECONDS_A_DAY = 24 * 60 * 60


async def create(
    store: Store,
    deployment: Deployment,
    *,
    user: str,
    name: str,
    scopes: Sequence[str],
    days: int | None,
) -> CreateTokenResponse:
    """A new token of a user, named by id or e-mail address. Raises Refused."""

    def command(transaction: Transaction) -> CreateTokenResponse:
        request = CreateTokenRequest(user_id=_user_id(transaction, user), name=name, scopes=scopes)
        if days is not None:
            request.expire_time.FromSeconds(int(time.time()) + days * _SECONDS_A_DAY)
        made: CreateTokenResponse = perform_as_operator(
            transaction, deployment, create_token, request
        )
        return made

    return await store.write(command)


async def list_all(store: Store, *, user: str) -> list[Token]:
    """A user's tokens, newest first, at most 1000. Raises Refused."""

    def query(snapshot: Snapshot) -> list[Token]:
        page = snapshot.lists.page(
            TOKENS,
            {"user_id": _user_id(snapshot, user)},
            order=DEFAULT_ORDER,
            size=MOST_LISTED,
            start=None,
            visible_to=None,
        )
        return [token_message(row) for row in page.rows]

    return await store.read(query)


async def revoke(store: Store, deployment: Deployment, *, token_id: str) -> None:
    """End a token. Raises Refused when there is none."""

    def command(transaction: Transaction) -> Any:
        request = RevokeTokenRequest(id=token_id)
        return perform_as_operator(transaction, deployment, revoke_token, request)

    await store.write(command)


def times(token: Token) -> tuple[str, str, str]:
    """When a token was made, ends and was last used, for people."""
    return (
        token.create_time.ToJsonString(),
        token.expire_time.ToJsonString() if token.HasField("expire_time") else "never",
        token.last_used_time.ToJsonString() if token.HasField("last_used_time") else "never",
    )


def _user_id(snapshot: Snapshot, user: str) -> str:
    found = snapshot.users.by_email(name_key(user)) if "@" in user else snapshot.users.get(user)
    if found is None:
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND,
                    f"there is no user {user}; give an id (user_…) or an e-mail address",
                )
            ]
        )
    return found.id
