"""Whether the request is worth sending."""

from __future__ import annotations

from google.protobuf.message import Message

from symphony_client.calls.outgoing_call import OutgoingCall
from symphony_client.prevalidation.pre_validator import PreValidator


class Structure:
    """Refuses a request that its pre-validator refuses."""

    def __init__(self, pre_validator: PreValidator[Message]) -> None:
        self._pre_validator = pre_validator

    def prepare(self, call: OutgoingCall) -> None:
        """Looks at the request; of a stream of requests there is none to look at yet.

        Raises:
            PreValidationFailed: the server would refuse it.
        """
        message = call.message
        if message is not None:
            self._pre_validator.should_attempt_request(message)
