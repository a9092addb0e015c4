"""The options that a channel to the server has, whichever API opens it."""

from __future__ import annotations

from typing import Final

from symphony_client.contract_methods import contract_methods
from symphony_client.service_config import service_config

KEEPALIVE_PERIOD_MS: Final = 20_000
"""How often a connection that waits for an answer is probed. The server must allow it: its
`grpc.http2.min_ping_interval_without_data_ms` (so called in 1.85) is to be below this, or it ends
the connection with "too many pings"."""

KEEPALIVE_TIMEOUT_MS: Final = 5_000
"""After how long a probe without an answer means that the connection is dead."""

MAX_METADATA_BYTES: Final = 16 * 1024
"""gRPC refuses more; set as the soft limit too, for between the two it refuses at random."""

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""A page of 1000 workflows does not fit gRPC's own 4 MiB."""

_FIRST_RECONNECT_MS: Final = 200
_LONGEST_RECONNECT_MS: Final = 5_000


def channel_options(*, retry_attempts: int) -> list[tuple[str, str | int]]:
    """Returns the channel arguments, in which each safe method is tried `retry_attempts` times."""
    methods = contract_methods().values()
    return [
        ("grpc.service_config", service_config(methods, attempts=retry_attempts)),
        # All four are needed. Without the third a stopped server goes unnoticed; without the last
        # it does as soon as two probes were answered without data (both measured).
        ("grpc.keepalive_time_ms", KEEPALIVE_PERIOD_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.max_pings_without_data", 0),
        # Else a channel shares the connections of others to the same address, among them one that
        # waits before it tries again to reach a server that was there before.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        # A server that is back is used within seconds, not within gRPC's two minutes.
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
    ]
