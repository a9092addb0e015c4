"""A real gRPC server that answers every method of the contract as the test tells it to.

It has no logic: it records each attempt and answers with what was scripted, or an empty message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

Trailers = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True)
class Attempt:
    """One attempt of a call, as the server saw it."""

    method: str
    request: Any
    metadata: Mapping[str, str | bytes]
    seconds_left: float | None


@dataclass(frozen=True)
class Answer:
    """What the server says to one attempt."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""
    trailers: Trailers = ()
    response: Message | None = None


@dataclass
class ContractServer:
    """Answers in the order of `script`, and with its last entry from then on."""

    credentials: grpc.ServerCredentials | None = None
    script: list[Answer] = field(default_factory=lambda: [Answer()])
    attempts: list[Attempt] = field(default_factory=list)

    def __enter__(self) -> ContractServer:
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((_AnyMethod(self._answer),))
        if self.credentials:
            self.port = self._server.add_secure_port("127.0.0.1:0", self.credentials)
        else:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def attempt(self) -> Attempt:
        """The only attempt there was."""
        (attempt,) = self.attempts
        return attempt

    def answers(self, *script: Answer) -> None:
        self.script[:] = script

    def _answer(self, method: str, request: Any, context: grpc.ServicerContext) -> Answer:
        metadata = {str(key): value for key, value in context.invocation_metadata()}
        self.attempts.append(Attempt(method, request, metadata, context.time_remaining()))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        context.set_trailing_metadata(answer.trailers)
        if answer.code is not grpc.StatusCode.OK:
            # Without headers before it: an answer that has begun is not retried (gRFC A6).
            context.abort(answer.code, answer.message)
        return answer


class _AnyMethod(grpc.GenericRpcHandler):
    def __init__(self, answer: Callable[[str, Any, grpc.ServicerContext], Answer]) -> None:
        self._answer = answer

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        path = details.method
        if path.startswith("/bytes."):
            return self._bytes_handler(path)
        name = path.removeprefix("/").replace("/", ".")
        method = descriptor_pool.Default().FindMethodByName(name)
        request_class = message_factory.GetMessageClass(method.input_type)
        response_class = message_factory.GetMessageClass(method.output_type)

        def respond(request: Message, context: grpc.ServicerContext) -> Message:
            return self._answer(method.name, request, context).response or response_class()

        def respond_once(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            yield respond(request, context)

        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(
                respond_once, request_class.FromString, response_class.SerializeToString
            )
        return grpc.unary_unary_rpc_method_handler(
            respond, request_class.FromString, response_class.SerializeToString
        )

    def _bytes_handler(self, path: str) -> grpc.RpcMethodHandler[Any, Any]:
        """Methods outside the contract, `/bytes.Service/<kind>`: they answer with what came."""

        def respond(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            received = b"".join(requests)
            self._answer(path, received, context)
            return received

        def respond_once(
            requests: Iterator[bytes], context: grpc.ServicerContext
        ) -> Iterator[bytes]:
            yield respond(requests, context)

        if path.endswith("StreamStream"):
            return grpc.stream_stream_rpc_method_handler(respond_once)
        return grpc.stream_unary_rpc_method_handler(respond)
