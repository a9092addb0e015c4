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

from symphony_server.rpc.commented_files import CommentedFile
from symphony_server.rpc.own_parsing import Places, of_many_requests

V1: Final = "grpc.reflection.v1.ServerReflection"
V1ALPHA: Final = reflection.SERVICE_NAME
MAX_OPEN: Final = 200
"""People and tools that ask for descriptors, at once; each is done in a moment."""
_METHOD: Final = "ServerReflectionInfo"


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Serve both versions of reflection for the named services and for themselves."""
    _register_v1_descriptor()
    names = (*services, V1, V1ALPHA)
    symbols: Any = _Symbols()
    servicer: Any = reflection.aio.ReflectionServicer(names, symbols)
    handler = of_many_requests(
        servicer.ServerReflectionInfo, reflection_pb2.ServerReflectionRequest, Places(MAX_OPEN)
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, {_METHOD: handler}) for name in (V1, V1ALPHA)]
    )


class _Symbols:
    """The default descriptor pool, with comments, in which methods are found by their names too.

    The pool finds the file of a service and of a message, but not of what is in them, and so
    `grpcurl describe symphony.v1.ProjectService.CreateProject` would say that there is none.
    """

    def __init__(self) -> None:
        self._pool: Any = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileByName(self, name: str) -> CommentedFile:
        """The file with a name. Raises KeyError."""
        return CommentedFile(self._pool.FindFileByName(name))

    def FindFileContainingSymbol(self, symbol: str) -> CommentedFile:
        """The file in which a symbol is declared. Raises KeyError."""
        try:
            file = self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            file = self._pool.FindMethodByName(symbol).containing_service.file
        return CommentedFile(file)


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
