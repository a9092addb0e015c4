"""Every RPC of the contract by name, and many calls of them at once."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

import symphony.v1
from symphony.v1.audit_pb2 import AuditRecord
from symphony.v1.audit_service_pb2 import ListAuditRecordsRequest
from tests.server.world import TIMEOUT_SECONDS, Person, read_refusal

IN_FLIGHT: Final = 64
"""Calls at once: enough for the server to commit many in one, far from being too many."""
PAGE_SIZE: Final = 1000


def contract_methods() -> dict[str, MethodDescriptor]:
    """Every RPC of every service that the contract's package has: `Service/RPC` → RPC."""
    methods = {}
    for module in pkgutil.iter_modules(symphony.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"symphony.v1.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                for method in service.methods:
                    methods[f"{service.name}/{method.name}"] = method
    return methods


METHODS: Final = contract_methods()


@dataclass(frozen=True)
class Ask:
    """One call."""

    rpc: str
    request: Message
    person: Person
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Told:
    """What came of it."""

    code: grpc.StatusCode
    response: Any = None
    reason: str = ""
    message: str = ""
    decision_id: str = ""
    trailing: Sequence[tuple[str, str | bytes]] = field(default=())


class Wire:
    """Calls whatever RPC is named, for whomever."""

    def __init__(self, admin: Person) -> None:
        self._admin = admin
        self._calls: dict[str, Any] = {}

    def ask(self, asks: Iterable[Ask]) -> list[Told]:
        """What is told to each, in order; many calls are under way at once."""
        told: list[Told] = []
        for batch in _batches(iter(asks), IN_FLIGHT):
            calls = [(METHODS[ask.rpc].server_streaming, self._start(ask)) for ask in batch]
            told += [_await(call, streams=streams) for streams, call in calls]
        return told

    def _start(self, ask: Ask) -> Any:
        call = self._calls.get(ask.rpc)
        method = METHODS[ask.rpc]
        if call is None:
            call = self._calls[ask.rpc] = _bind(self._admin.channel, method)
        metadata = tuple(ask.person.metadata(ask.extra))
        if method.server_streaming:
            return call(ask.request, metadata=metadata, timeout=TIMEOUT_SECONDS)
        return call.future(ask.request, metadata=metadata, timeout=TIMEOUT_SECONDS)

    def records(self, rpc: str, decision_ids: Iterable[str]) -> dict[str, AuditRecord]:
        """The audit records of decisions on an RPC, as an ADMIN reads them: by decision id."""
        sought = {decision_id for decision_id in decision_ids if decision_id}
        found: dict[str, AuditRecord] = {}
        request = ListAuditRecordsRequest(method=f"symphony.v1.{rpc}", page_size=PAGE_SIZE)
        while not sought <= found.keys():
            page = self._admin.get(self._admin.audits.ListAuditRecords, request)
            found |= {record.decision_id: record for record in page.audit_records}
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        return {decision_id: found[decision_id] for decision_id in sought & found.keys()}


def _bind(channel: grpc.Channel, method: MethodDescriptor) -> Any:
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    return kind(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )


def _await(call: Any, *, streams: bool) -> Told:
    """What came of a call; of a stream, whether it begins."""
    try:
        if streams:
            response = next(call)
            call.cancel()
            return Told(grpc.StatusCode.OK, response)
        response = call.result()
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        return Told(
            refusal.code,
            reason=refusal.reason,
            message=refusal.message,
            decision_id=refusal.metadata.get("decision_id", ""),
            trailing=_trailing(error),
        )
    return Told(grpc.StatusCode.OK, response, trailing=_trailing(call))


def _trailing(call: Any) -> Sequence[tuple[str, str | bytes]]:
    return [(item.key, item.value) for item in call.trailing_metadata() or ()]


def _batches(asks: Iterator[Ask], size: int) -> Iterator[list[Ask]]:
    while batch := list(itertools.islice(asks, size)):
        yield batch
