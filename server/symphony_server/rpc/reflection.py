"""Server reflection, v1alpha from grpcio-reflection and v1 beside it.

grpcio-reflection has only v1alpha (grpc/grpc#31484 is about the other). The two versions
have the same messages on the wire, so v1 is the same servicer under the other name, with a
descriptor made from v1alpha's so that clients can describe it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1: Final = "grpc.reflection.v1.ServerReflection"
V1ALPHA: Final = reflection.SERVICE_NAME
_METHOD: Final = "ServerReflectionInfo"


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Serve both versions of reflection for the named services and for themselves."""
    _register_v1_descriptor()
    names = (*services, V1, V1ALPHA)
    symbols: Any = _Symbols()
    reflection.enable_server_reflection(names, server, symbols)
    servicer: Any = reflection.aio.ReflectionServicer(names, symbols)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(V1, {_METHOD: handler}),))


class _Symbols:
    """The default descriptor pool, in which methods are found by their names too.

    The pool finds the file of a service and of a message, but not of what is in them, and so
    `grpcurl describe symphony.v1.ProjectService.CreateProject` would say that there is none.
    """

    def __init__(self) -> None:
        self._pool: Any = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:
        """The file in which a symbol is declared. Raises KeyError."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file


def _register_v1_descriptor() -> None:
    file = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.name = "grpc/reflection/v1/reflection.proto"
    file.package = "grpc.reflection.v1"
    old, new = ".grpc.reflection.v1alpha.", ".grpc.reflection.v1."
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(old, new)
    for service in file.service:
        for method in service.method:
            method.input_type = method.input_type.replace(old, new)
            method.output_type = method.output_type.replace(old, new)
    descriptor_pool.Default().Add(file)
