"""The gRPC server: from the contract's methods to a listening port, and its end."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2

from symphony_server.rpc.admitting_server import admitting_server
from symphony_server.rpc.core_log import keep_core_out_of_logs
from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method, read_methods
from symphony_server.rpc.own_parsing import Places, of_one_request, of_one_request_that_lasts
from symphony_server.rpc.pipeline import compose
from symphony_server.rpc.reflection import add_reflection
from symphony_server.rpc.request_ids import is_request_id
from symphony_server.rpc.requests import Requests
from symphony_server.rpc.stages.answer import REQUEST_ID
from symphony_server.rpc.store_health import StoreHealth
from symphony_server.use_cases.call import Call

HEALTH: Final = "grpc.health.v1.Health"
MAX_HEALTH_WATCHES: Final = 1000
"""One for each client's connection that balances by them."""
QUIET_SECONDS: Final = 0.4
"""How long, at most, a stopping server holds new calls back before it closes the connections: below
the half second after which streams that it refuses come again (`shed_load.RETRY_AFTER_SECONDS`)."""
QUIET_ROUNDS: Final = 2
"""It waits no longer when none has come in one of so many parts of that."""
FEWEST_STREAMS: Final = 1000
"""So many a connection may have open at once, or as many as the server serves. Without a bound the
core begins with each that one connection sends, and others wait for seconds while hundreds of MiB
come and go. A stream counts until the core has let go of it, later than its caller hears of the
end: at 100, 64 callers on one connection were refused."""

OPTIONS: Final[Mapping[str, int]] = {
    # A request beyond 4 MiB is refused by us, with details; beyond this gRPC cuts it off.
    "grpc.max_receive_message_length": 8 * 1024 * 1024,
    # A token has 4 KiB at most, and traces and the like as much again. Between the two limits gRPC
    # refuses at random: so they are one.
    "grpc.max_metadata_size": 8 * 1024,
    "grpc.absolute_max_metadata_size": 8 * 1024,
    # Off, or a second server binds the same port in silence (SO_REUSEPORT); on for workers, whose
    # supervisor has seen to that.
    "grpc.so_reuseport": 0,
    # Without it what is read at once doubles for as long as a connection never pauses, to hundreds
    # of MiB (https://github.com/grpc/grpc/issues/42194).
    "grpc.experimental.tcp_max_read_buffer_size": 256 * 1024,
    # Connections that say nothing, or never finish their handshake, are closed.
    "grpc.server_handshake_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": 10 * 60 * 1000,
    # Clients may ping this often; ours do every 20 s.
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    # Without this one a probe may stay unanswered for a minute all the same.
    "grpc.http2.ping_timeout_ms": 20_000,
}


def served_services() -> tuple[str, ...]:
    """The full names of the contract's services."""
    return tuple(dict.fromkeys(method.service for method in read_methods().values()))


class RpcServer:
    """Serves the contract, health and reflection."""

    def __init__(
        self,
        services: Services,
        *,
        max_concurrent: int,
        share_port: bool = False,
        max_connection_age_seconds: float | None = None,
    ) -> None:
        """Compose every method's pipeline. Raises PolicyMissing for a contract without."""
        keep_core_out_of_logs()
        self._services = services
        most_streams = services.load.max_calls + services.load.max_streams
        options = {
            **OPTIONS,
            "grpc.so_reuseport": int(share_port),
            "grpc.max_concurrent_streams": max(most_streams, FEWEST_STREAMS),
        }
        if max_connection_age_seconds is not None:
            # gRPC varies it by a tenth; calls and streams under way stay on the old connection.
            options["grpc.max_connection_age_ms"] = round(max_connection_age_seconds * 1000)
        self._server = admitting_server(
            services.load, options, maximum_concurrent_rpcs=max_concurrent
        )
        self._health = health.aio.HealthServicer()
        self.store_health = StoreHealth(services.store, self._health)
        # Registered, health has a queue of its own: who probes a server in an overload is answered.
        self._server.add_registered_method_handlers(
            HEALTH, _health_handlers(self._health, services.requests)
        )
        by_service: dict[str, dict[str, grpc.RpcMethodHandler[bytes, bytes]]] = defaultdict(dict)
        for method in read_methods().values():
            handler = self._method_handler(method)
            by_service[method.service][method.name.partition("/")[2]] = handler
        for service, handlers in by_service.items():
            generic = grpc.method_handlers_generic_handler(service, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        add_reflection(self._server, (*by_service, HEALTH))

    async def start(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Listen on `HOST:PORT` and serve; returns the port. Raises RuntimeError when the
        address is taken.
        """
        if credentials is None:
            port = self._server.add_insecure_port(address)
        else:
            port = self._server.add_secure_port(address, credentials)
        await self._server.start()
        for service in ("", *served_services()):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self.store_health.start()
        self._giving_up = asyncio.create_task(self._services.requests.give_up_stalled())
        return port

    async def stop(self, *, drain_seconds: float, grace_seconds: float) -> None:
        """Say NOT_SERVING, give clients time to notice, refuse new streams, finish the calls: those
        under way, and those that still come.
        """
        await self._health.enter_graceful_shutdown()
        await self.store_health.stop()
        if drain_seconds:
            await asyncio.sleep(drain_seconds)
        self._services.load.stopping = True
        await self._services.feed.close()
        # What grpc finds on the wire when it stops ends as CANCELLED, without details, which not
        # every client repeats as ours does. So no answer is given until callers who wait for one
        # before they go on have all fallen quiet; after it they go on elsewhere, for they were told
        # before.
        for _ in range(QUIET_ROUNDS):
            held = self._services.load.held
            await asyncio.sleep(QUIET_SECONDS / QUIET_ROUNDS)
            if self._services.load.held == held:
                break
        stopped = asyncio.create_task(self._server.stop(grace_seconds))
        await asyncio.sleep(0)  # in which it tells them
        self._services.load.going.set()
        await stopped
        self._giving_up.cancel()

    def _method_handler(self, method: Method) -> grpc.RpcMethodHandler[bytes, bytes]:
        """The handler that gRPC calls with bytes, so that what does not parse is seen too."""
        entry = _entry(method, self._services, compose(method, self._services))
        if method.streams:
            return grpc.stream_stream_rpc_method_handler(entry)
        # Served as a stream of one request: grpc.aio never calls a unary handler when a client
        # ends its side without a message, and the client would wait for its deadline.
        return grpc.stream_unary_rpc_method_handler(entry)


def _health_handlers(
    servicer: Any, requests: Requests
) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    request, places = health_pb2.HealthCheckRequest, Places(MAX_HEALTH_WATCHES)
    return {
        "Check": of_one_request(servicer.Check, request, requests),
        "Watch": of_one_request_that_lasts(servicer.Watch, request, requests, places),
    }


def _entry(method: Method, services: Services, handler: Handler) -> Any:
    deployment = services.deployment
    name, permission = method.name, method.permission

    async def enter(_: Any, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        started_ns = time.monotonic_ns()
        metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
        request_id: Any = metadata.get(REQUEST_ID)
        if not is_request_id(request_id):
            request_id = uuid.uuid4().hex
        call = Call(name, permission, deployment, request_id, started_ns)
        try:
            return await handler(Exchange(call, metadata, context))
        except BaseException as error:
            # grpc keeps the error with the call. With the frames that it passed, which know the
            # call, both would stay until a collection: tens of KiB for each that is refused.
            error.__traceback__ = None
            raise
        finally:
            del context

    return enter
