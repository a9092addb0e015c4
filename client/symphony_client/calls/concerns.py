"""The order in which a call is completed: the same for both APIs."""

from __future__ import annotations

from symphony_client.calls.credentials import Credentials
from symphony_client.calls.deadline import Deadline
from symphony_client.calls.outgoing_call import Concern
from symphony_client.calls.request_id import RequestId
from symphony_client.calls.structure import Structure
from symphony_client.calls.trace import Trace
from symphony_client.channel_settings import ChannelSettings
from symphony_client.prevalidation import ContractRules, is_switched_on


def concerns(settings: ChannelSettings) -> tuple[Concern, ...]:
    """Returns what is done to each call, in order.

    Retries are not here: gRPC's core makes them of what comes out, so that all attempts of a
    call have one request id and one deadline.
    """
    checked = settings.prevalidation and is_switched_on()
    return (
        # First, so that what is checked next is what is sent, its size included.
        RequestId(),
        # Before the rest: a request that is refused costs no more.
        *((Structure(ContractRules()),) if checked else ()),
        Deadline(timeout_seconds=settings.timeout_seconds),
        # Once it is known that the call is made.
        Trace(),
        # Last: nothing but gRPC sees the token.
        Credentials(token=settings.token, act_as=settings.act_as),
    )
