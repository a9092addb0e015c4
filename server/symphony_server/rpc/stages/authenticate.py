"""Tells who is calling, and that the credential may be used for the method."""

from __future__ import annotations

from collections.abc import Iterable

import grpc

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
    by_certificate = services.client_certificates

    async def authenticated(exchange: Exchange) -> bytes:
        caller = await authenticator.authenticate(
            exchange.metadata, certificate_names(exchange.context) if by_certificate else ()
        )
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


def certificate_names(context: grpc.aio.ServicerContext[bytes, bytes]) -> list[str]:
    """The subject alternative names of the client's certificate, which TLS has verified."""
    names: Iterable[bytes] = context.auth_context().get("x509_subject_alternative_name", ())
    return [name.decode(errors="replace") for name in names]
