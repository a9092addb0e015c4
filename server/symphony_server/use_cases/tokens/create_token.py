"""Creates an access token."""

from __future__ import annotations

from symphony.v1.access_pb2 import Token
from symphony.v1.access_service_pb2 import CreateTokenRequest, CreateTokenResponse
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.access.caller import ALL_SCOPES, Caller
from symphony_server.access.credentials import new_secret, secret_hash
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.clock import set_timestamp, timestamp_us
from symphony_server.ids import new_id
from symphony_server.refusal import Violation, not_found
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.taken import id_taken


def create_token(
    transaction: Transaction, call: Call, request: CreateTokenRequest
) -> CreateTokenResponse:
    """The token and its secret, which is shown this once and never kept."""
    judgement = call.judgement
    user_id = request.user_id or call.caller.user.id
    token_id = call.resource_id = request.token_id or new_id("token")

    decision = decide("tokens.create", call.caller.user, Facts(owner_id=user_id))
    judgement.decided(decision)
    scopes = list(request.scopes) or [ALL_SCOPES]
    judgement.ask("token.scopes_held", _scopes_not_held(call.caller, scopes))
    judgement.end_stage()

    if judgement.permitted and transaction.users.get(user_id) is None:
        judgement.stop("user.exists", not_found("user", user_id, field="user_id"))
    expire_time_us = timestamp_us(request.expire_time)
    if request.HasField("expire_time"):
        judgement.ask("token.expires_later", _expires_before(expire_time_us, transaction.time_us))
    if request.token_id:
        used = transaction.tokens.get(token_id) is not None
        judgement.ask_if_permitted("token.id_free", id_taken("token_id") if used else None)
    judgement.conclude()

    token = Token(id=token_id, user_id=user_id, name=request.name, scopes=scopes)
    set_timestamp(token.create_time, transaction.time_us)
    if request.HasField("expire_time"):
        set_timestamp(token.expire_time, expire_time_us)
    secret = new_secret()
    transaction.tokens.insert(
        token,
        secret_hash=secret_hash(secret),
        time_us=transaction.time_us,
        expire_time_us=expire_time_us,
    )
    return CreateTokenResponse(token=token, secret=secret)


def _scopes_not_held(caller: Caller, scopes: list[str]) -> Violation | None:
    """A token may not be used to make one that may do more."""
    beyond = [scope for scope in scopes if not caller.scope_covers(scope)]
    if not beyond:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_TOKEN_SCOPE_REQUIRED,
        "asks for more than the token you call with may do; call with one that has these scopes",
        field="scopes",
        metadata={"permission": ",".join(beyond), "scopes": ",".join(caller.scopes)},
    )


def _expires_before(expire_time_us: int, now_us: int) -> Violation | None:
    if expire_time_us > now_us:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_FIELD_INVALID,
        "must be in the future; leave it out for a token that does not expire",
        field="expire_time",
        rule="timestamp.gt_now",
    )
