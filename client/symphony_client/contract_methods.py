"""What the contract says of each of its methods: the client's only table of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

import symphony.v1
from symphony.v1 import policy_pb2

_SAFE_TO_REPEAT: Final = frozenset({MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT})


@dataclass(frozen=True, slots=True)
class ContractMethod:
    """One method, as its options describe it."""

    service: str
    """The service's full name: `symphony.v1.WorkflowService`."""
    name: str
    """The method's own name: `CreateWorkflow`."""
    writes: bool
    """Whether it changes stored data, and so takes a `request_id`."""
    safe_to_repeat: bool
    """Whether calling it again does no more than calling it once (`idempotency_level`)."""
    answers_with_stream: bool
    """Whether its answer is a stream, which may have no end."""
    request: type[Message]
    """What it takes; no other method takes the same."""
    response: type[Message]
    """What it answers with; of a stream, each message."""

    @property
    def path(self) -> str:
        """The method as gRPC names it: `/symphony.v1.WorkflowService/CreateWorkflow`."""
        return f"/{self.service}/{self.name}"


@cache
def contract_methods() -> Mapping[str, ContractMethod]:
    """Returns every method of `symphony.v1` by its path; read off the descriptors once."""
    methods = (
        _read(method)
        for module in _service_modules()
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    )
    return {method.path: method for method in methods}


@cache
def _by_request() -> Mapping[type[Message], ContractMethod]:
    return {method.request: method for method in contract_methods().values()}


def method_of(request: Message) -> ContractMethod:
    """Returns the one method that takes such a request.

    Raises:
        TypeError: it is no request of the contract.
    """
    method = _by_request().get(type(request))
    if method is None:
        raise TypeError(f"{request.DESCRIPTOR.full_name} is not a request of symphony.v1")
    return method


def _service_modules() -> Iterator[ModuleType]:
    """Imports the modules of the contract that define services."""
    for module in pkgutil.iter_modules(symphony.v1.__path__):
        if module.name.endswith("_service_pb2"):
            yield importlib.import_module(f"{symphony.v1.__name__}.{module.name}")


def _read(method: MethodDescriptor) -> ContractMethod:
    options = method.GetOptions()
    return ContractMethod(
        service=method.containing_service.full_name,
        name=method.name,
        writes=options.Extensions[policy_pb2.policy].access == policy_pb2.ACCESS_WRITE,
        safe_to_repeat=options.idempotency_level in _SAFE_TO_REPEAT,
        answers_with_stream=method.server_streaming,
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
    )
