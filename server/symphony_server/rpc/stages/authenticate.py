"""Tells who is calling, and that the credential may be used for the method."""

from __future__ import annotations

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method


def authenticate(method: Method, services: Services, inner: Handler) -> Handler:
    """Set the call's caller, or refuse it."""
    if method.anonymous:
        return inner
    authenticator = services.authenticator
    permission = method.permission

    async def authenticated(exchange: Exchange) -> bytes:
        caller = await authenticator.authenticate(exchange.metadata)
        exchange.call.caller = caller
        if not caller.scope_covers(permission):
            raise Refused(
                [
                    Violation(
                        ErrorReason.ERROR_REASON_TOKEN_SCOPE_REQUIRED,
                        f"the token may not be used for {permission}; use one with that scope",
                        metadata={"permission": permission, "scopes": ",".join(caller.scopes)},
                    )
                ]
            )
        return await inner(exchange)

    return authenticated
