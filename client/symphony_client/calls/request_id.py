"""What makes a retried write safe."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from symphony_client.calls.outgoing_call import OutgoingCall

_FIELD: Final = "request_id"


class RequestId:
    """Gives a `request_id` to every write that has none.

    It is made once for all attempts of the call, so that the server answers a repeated attempt
    with the first one's answer.
    """

    def prepare(self, call: OutgoingCall) -> None:
        """Puts the id into a copy of the request; the caller's message stays as it is."""
        message, method = call.message, call.method
        if message is None or method is None or not method.writes:
            return
        if getattr(message, _FIELD, None) == "":
            copy = type(message)()
            copy.CopyFrom(message)
            setattr(copy, _FIELD, uuid4().hex)
            call.request = copy
