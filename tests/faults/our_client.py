"""Our client with its times scaled down, so that what takes it 25 s is seen in a second."""

from __future__ import annotations

from typing import Final

import grpc

from symphony_client.calls.aio_interceptors import aio_interceptors
from symphony_client.calls.concerns import concerns
from symphony_client.channel_options import channel_options
from symphony_client.channel_settings import ChannelSettings
from symphony_client.errors import DeadlineExceeded, NetworkError

KEEPALIVE_MS: Final = 300
"""Period and patience of the client's probes, instead of 20 s and 5 s."""
TOLD: Final = (NetworkError, DeadlineExceeded)
"""What a call may end in when nobody answers."""


def client_channel(
    target: str,
    token: str,
    *,
    timeout_seconds: float,
    retry_attempts: int = 3,
    keepalive_ms: int | None = None,
) -> grpc.aio.Channel:
    """The channel that `symphony_client.aio.connect` opens, but for its keepalive's times."""
    settings = ChannelSettings(
        target=target, token=token, timeout_seconds=timeout_seconds, retry_attempts=retry_attempts
    )
    # A dictionary, for of an option that is given twice gRPC takes the first.
    options = dict(channel_options(retry_attempts=settings.retry_attempts))
    if keepalive_ms is not None:
        options["grpc.keepalive_time_ms"] = keepalive_ms
        options["grpc.keepalive_timeout_ms"] = keepalive_ms
        options["grpc.http2.ping_timeout_ms"] = keepalive_ms
        # How long a connection may take to be made; keepalive looks after it only then.
        options["grpc.min_reconnect_backoff_ms"] = 2 * keepalive_ms
    return grpc.aio.insecure_channel(
        target, [*options.items()], interceptors=aio_interceptors(concerns(settings))
    )
