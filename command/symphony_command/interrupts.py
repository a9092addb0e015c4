"""Ctrl-C while a stream is read."""

from __future__ import annotations

import signal
import threading
from typing import Any, Protocol, Self, TypeVar


class _Stream(Protocol):
    def cancel(self) -> Any: ...


S = TypeVar("S", bound=_Stream)


class Interrupt:
    """While it lasts Ctrl-C ends the stream that is read, and is noted.

    Otherwise Python raises KeyboardInterrupt wherever the program is just then. Where that is
    between a lock of gRPC's and the block that lets go of it, nobody else gets the lock any more.
    A second Ctrl-C does as always. Where Ctrl-C is ignored it stays so.
    """

    def __init__(self) -> None:
        self.came = False
        self._stream: _Stream | None = None
        self._set = False

    def __enter__(self) -> Self:
        pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if pythons and threading.current_thread() is threading.main_thread():  # no other may
            signal.signal(signal.SIGINT, self._end)
            self._set = True
        return self

    def __exit__(self, *_: object) -> None:
        self._as_before()

    def ends(self, stream: S) -> S:
        """The stream, which is the one to end."""
        self._stream = stream
        if self.came:
            stream.cancel()
        return stream

    def _end(self, *_: object) -> None:
        self._as_before()
        self.came = True
        if self._stream is not None:
            self._stream.cancel()

    def _as_before(self) -> None:
        if self._set:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._set = False
