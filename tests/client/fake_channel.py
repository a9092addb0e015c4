"""grpc_testing's fake channel, made fit to carry interceptors.

What it lacks (grpc_testing/_channel/, 1.85): two arguments that interceptors pass on, errors
that are futures too, as interceptors expect of them, and an eye for the timeout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import grpc


class InterceptableChannel(grpc.Channel):
    """Passes calls on to a fake channel and keeps the timeout of each."""

    def __init__(self, fake: Any) -> None:
        self._fake = fake
        self.timeouts: list[float | None] = []

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Any:
        return _Forgiving(self._fake.unary_unary(method), self.timeouts)

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Any:
        return _Forgiving(self._fake.unary_stream(method), self.timeouts)

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        raise NotImplementedError

    def unsubscribe(self, callback: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._fake.close()

    def __enter__(self) -> InterceptableChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Forgiving:
    def __init__(self, call: Any, timeouts: list[float | None]) -> None:
        self._call = call
        self._timeouts = timeouts

    def __call__(self, request: Any, **arguments: Any) -> Any:
        return self._made(self._call, request, arguments)

    def with_call(self, request: Any, **arguments: Any) -> Any:
        return self._made(self._call.with_call, request, arguments)

    def _made(self, call: Callable[..., Any], request: Any, arguments: dict[str, Any]) -> Any:
        self._timeouts.append(arguments["timeout"])
        for unknown in ("wait_for_ready", "compression"):
            assert arguments.pop(unknown) is None
        try:
            return call(request, **arguments)
        except grpc.RpcError as error:
            raise _FailedCall(error) from error


class _FailedCall(grpc.RpcError):
    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error)
        self._error = error

    def code(self) -> grpc.StatusCode:
        return self._error.code()

    def details(self) -> str | None:
        return self._error.details()

    def trailing_metadata(self) -> Any:
        return self._error.trailing_metadata()

    def result(self) -> NoReturn:
        raise self
