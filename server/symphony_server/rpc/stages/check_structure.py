"""Tells what is asked, and that it keeps to the contract's rules."""

from __future__ import annotations

from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method
from symphony_server.rpc.operations import TRANSACTION, Operations
from symphony_server.rpc.request_ids import is_request_id
from symphony_server.rpc.structure import Structure


def check_structure(method: Method, services: Services, inner: Handler) -> Handler:
    """Read the request, parse and check it, or refuse the call."""
    requests = services.requests
    structure = Structure(method)
    operations = Operations() if method.name == TRANSACTION else None
    writes = method.writes

    async def checked(exchange: Exchange) -> bytes:
        call = exchange.call
        call.request_bytes = body = await requests.read(exchange.context, call.started_ns)
        call.request = request = structure.parse(body)
        # Before the check, so that a refusal can be found by it, and never what metadata
        # cannot carry.
        if writes and is_request_id(request.request_id):
            call.request_id = request.request_id
        call.update_paths = structure.check(request)
        if operations is not None:
            call.operations = operations.named
            call.operation_paths = operations.check(request)
        return await inner(exchange)

    return checked
