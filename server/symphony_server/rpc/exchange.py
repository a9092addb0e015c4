"""What the stages of the pipeline hand to each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from symphony_server.access.authentication import Authenticator
from symphony_server.rpc.load import Load
from symphony_server.rpc.log_quota import LogQuota
from symphony_server.rpc.methods import Method
from symphony_server.rpc.observations import Observations
from symphony_server.rpc.refusal_log import RefusalLog
from symphony_server.rpc.request_rates import RequestRates
from symphony_server.rpc.requests import Requests
from symphony_server.store.change_feed import ChangeFeed
from symphony_server.store.doors import Store
from symphony_server.use_cases.call import Call, Deployment

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


@dataclass(slots=True)
class Exchange:
    """One call on the wire."""

    call: Call
    metadata: Mapping[str, str]
    context: grpc.aio.ServicerContext[bytes, bytes]
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    """The ErrorReason of the status, without its prefix; empty when it is OK."""
    trace_id: str = ""
    """The trace that the call is part of, in hexadecimal; empty when it is in none."""

    @property
    def peer(self) -> str:
        """The address of the other end without its port, for example `ipv4:127.0.0.1`."""
        address: str = self.context.peer()
        return address.rpartition(":")[0] or address


@dataclass(frozen=True, slots=True)
class Services:
    """What the stages use, the same for every call."""

    store: Store
    feed: ChangeFeed
    authenticator: Authenticator
    deployment: Deployment
    load: Load
    rates: RequestRates
    observations: Observations
    refusals: RefusalLog
    requests: Requests
    log_quota: LogQuota = field(default_factory=LogQuota)
    client_certificates: bool = False
    """Whether a verified client certificate tells who calls."""
    tracer: Tracer | None = None
    """What makes the calls' spans, when they are traced."""


Handler = Callable[[Exchange], Awaitable[bytes]]
Stage = Callable[[Method, Services, Handler], Handler]
