"""How long a call may take."""

from __future__ import annotations

from typing import Final

from symphony_client.calls.outgoing_call import OutgoingCall

STREAM_TIMEOUT_SECONDS: Final = 3600.0
"""A stream such as `Watch` has no end of its own. It is begun anew now and then, from the last
revision seen, so that no server keeps it for ever; keepalive notices a dead one long before."""


class Deadline:
    """Gives a deadline to every call that has none."""

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds

    def prepare(self, call: OutgoingCall) -> None:
        """Sets the timeout, from which gRPC counts all attempts of the call."""
        if call.timeout_seconds is None:
            method = call.method
            endless = method is not None and method.answers_with_stream
            call.timeout_seconds = STREAM_TIMEOUT_SECONDS if endless else self._timeout_seconds
