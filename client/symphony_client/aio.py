"""The way in for asyncio: `connect`, the counterpart of `symphony_client.connect`."""

from __future__ import annotations

from pathlib import Path

import grpc.aio

from symphony_client.calls.aio_interceptors import aio_interceptors
from symphony_client.calls.concerns import concerns
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
) -> grpc.aio.Channel:
    """Returns a channel of asyncio to the server; call it where the event loop runs.

    Arguments, errors and what is done to each call are those of `symphony_client.connect`.
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
    return open_channel(settings)


def open_channel(settings: ChannelSettings) -> grpc.aio.Channel:
    """Returns the channel that the settings describe; call it where the event loop runs.

    Raises:
        OSError: a PEM file cannot be read.
    """
    interceptors = aio_interceptors(concerns(settings))
    options = channel_options(retry_attempts=settings.retry_attempts)
    credentials = settings.transport_credentials()
    if credentials:
        return grpc.aio.secure_channel(
            settings.target, credentials, options, interceptors=interceptors
        )
    return grpc.aio.insecure_channel(settings.target, options, interceptors=interceptors)
