"""The way in for synchronous code: `connect`."""

from __future__ import annotations

from pathlib import Path

import grpc

from symphony_client.calls.concerns import concerns
from symphony_client.calls.sync_interceptor import SyncInterceptor
from symphony_client.channel_options import channel_options
from symphony_client.channel_settings import ChannelSettings


def connect(
    target: str = "localhost:50051",
    *,
    token: str | None = None,
    act_as: str | None = None,
    tls: bool | None = None,
    tls_ca: Path | str | None = None,
    tls_cert: Path | str | None = None,
    tls_key: Path | str | None = None,
    timeout_seconds: float = 30,
    retry_attempts: int = 3,
    prevalidation: bool = True,
) -> grpc.Channel:
    """Returns a channel to the server for the generated stubs; it connects with the first call.

    Without TLS all of it, the token too, travels in the clear: for loopback, or a network that
    is trusted otherwise.

    Args:
        target: where the server is: `HOST:PORT`, `dns:///HOST:PORT`, `unix:PATH`.
        token: the access token or JWT sent as `authorization: Bearer`. A call that brings that
            metadata itself keeps its own; the same holds for `act_as`.
        act_as: the id of the user to act for (`x-symphony-act-as`), which takes SERVICE or ADMIN.
        tls: True for TLS; by default TLS is used if one of the next three is given.
        tls_ca: PEM file with the certificate authorities; gRPC's own list by default.
        tls_cert: PEM file with the client's certificate, for a server that asks for one.
        tls_key: PEM file with its key.
        timeout_seconds: the deadline of every call that sets none itself, its retries included.
        retry_attempts: how often a call is tried in all, 1 to 5, while it ends in UNAVAILABLE.
        prevalidation: False, or `SYMPHONY_PREVALIDATION=off` in the environment, sends requests
            without checking them first; the server checks them all the same.

    Raises:
        ValueError: an argument, or the environment variable, has a value it does not take.
        OSError: a PEM file cannot be read.
    """
    settings = ChannelSettings(
        target=target,
        token=token,
        act_as=act_as,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
        timeout_seconds=timeout_seconds,
        retry_attempts=retry_attempts,
        prevalidation=prevalidation,
    )
    interceptor = SyncInterceptor(concerns(settings))
    options = channel_options(retry_attempts=settings.retry_attempts)
    credentials = settings.transport_credentials()
    channel = (
        grpc.secure_channel(settings.target, credentials, options)
        if credentials
        else grpc.insecure_channel(settings.target, options)
    )
    return grpc.intercept_channel(channel, interceptor)
