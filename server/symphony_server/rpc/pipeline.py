"""The way of a call through the wire: one ordered list of stages, composed once a method.

`STAGES` is the order, outermost first. A stage gets the method, the services it may use and
the handler further in, and returns the handler further out; so a call passes through plain
functions and no wrapper is built while it runs.

A stage may answer by returning bytes, refuse by raising `Refused`, or hand the call on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symphony_server.rpc.exchange import Exchange, Handler, Services, Stage
from symphony_server.rpc.methods import Method
from symphony_server.rpc.services import CHANGES_IDENTITY, ENDPOINTS, STREAMS, Endpoint, Stream
from symphony_server.rpc.stages.answer import answer
from symphony_server.rpc.stages.authenticate import authenticate
from symphony_server.rpc.stages.check_structure import check_structure
from symphony_server.rpc.stages.deadline import deadline
from symphony_server.rpc.stages.observe import observe
from symphony_server.rpc.stages.rate_limit import rate_limit
from symphony_server.rpc.stages.record_refusals import record_refusals
from symphony_server.rpc.stages.share_streams import share_streams
from symphony_server.rpc.stages.shed_load import shed_load

STAGES: Final[Sequence[Stage]] = (
    # Sees every call whatever becomes of it, and how it ended.
    observe,
    # Turns what came out into an answer or a status; nothing else may abort a call.
    answer,
    # Refuses what cannot be answered in time, before anything is spent on it.
    deadline,
    # Refuses what is too much, cheaply: before the database and without a record.
    shed_load,
    # Records every refusal from further in, among them those of nobody authenticated.
    record_refusals,
    # Tells who is calling, before a byte of the request is looked at.
    authenticate,
    # Refuses more than the user's tier allows, before more is spent on it.
    rate_limit,
    # Refuses streams that would leave none for other users.
    share_streams,
    # Tells what is asked, and that it keeps to the contract.
    check_structure,
)


def stages(services: Services) -> Sequence[Stage]:
    """The order for a server: where calls are traced, their span is around everything."""
    if services.tracer is None:
        return STAGES
    # Here, so that who does not trace needs no OpenTelemetry.
    from symphony_server.rpc.stages.trace import trace

    return (trace, *STAGES)


def compose(method: Method, services: Services) -> Handler:
    """The whole way of a method's calls, from the bytes to the answer. Of a streaming method
    the answer is empty: what it has to say is written before.
    """
    if method.streams:
        handler = _streaming_use_case(method, services, STREAMS[method.name])
    else:
        handler = _use_case(method, services, ENDPOINTS[method.name])
    for stage in reversed(stages(services)):
        handler = stage(method, services, handler)
    return handler


def _use_case(method: Method, services: Services, endpoint: Endpoint) -> Handler:
    store, authenticator = services.store, services.authenticator
    changes_identity = method.name in CHANGES_IDENTITY

    async def use_case(exchange: Exchange) -> bytes:
        response = await endpoint(store, exchange.call)
        if changes_identity:
            authenticator.forget()
        return response

    return use_case


def _streaming_use_case(method: Method, services: Services, stream: Stream) -> Handler:
    store, feed = services.store, services.feed

    async def pass_on(_: Exchange) -> bytes:
        return b""

    # What told who is calling is asked again for as long as the stream lasts.
    check_caller = authenticate(method, services, pass_on)

    async def use_case(exchange: Exchange) -> bytes:
        async def recheck() -> None:
            await check_caller(exchange)

        await stream(store, feed, exchange.call, exchange.context.write, recheck)
        return b""

    return use_case
