"""A connection that speaks HTTP/2 frame by frame, so that a call costs its caller microseconds.

A gRPC client spends as much on a call as the server does, and so cannot make ten times as many
as a server can answer. This one encodes a call's headers once, and sends them again and again.
It keeps to the protocol: flow control, the most streams at once, answers to SETTINGS and PING.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Sequence
from typing import Final

from hpack import Encoder

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
CANCEL: Final = 8
_HEADER_TABLE_SIZE: Final = 1
_MAX_CONCURRENT_STREAMS: Final = 3
_INITIAL_WINDOW_SIZE: Final = 4
_LARGEST_WINDOW: Final = 2**31 - 1
_FIRST_WINDOW: Final = 65_535
_REFILL_BYTES: Final = 2**28
_STATUS: Final = re.compile(rb"grpc-status[\x01\x02](\d\d?)")
_READ_BYTES: Final = 1 << 20

Headers = Sequence[tuple[str, str]]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame."""
    return (
        struct.pack(">HBBBI", len(payload) >> 8, len(payload) & 255, kind, flags, stream) + payload
    )


def call_headers(path: str, authority: str, metadata: Headers, timeout_ms: int | None) -> Headers:
    """What a gRPC call begins with."""
    timeout = [("grpc-timeout", f"{timeout_ms}m")] if timeout_ms is not None else []
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *timeout,
        *metadata,
    ]


class Http2Connection:
    """Calls of one method over one connection."""

    def __init__(self, target: str, headers: Headers) -> None:
        """Connect, and say what is taken: answers of any size, headers that need no memory."""
        host, _, port = target.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        encoder = Encoder()
        self._first_headers: bytes | None = encoder.encode(headers)
        self._headers = encoder.encode(headers)
        """By now the table has all of them."""
        self._last_stream = -1
        self._window = _FIRST_WINDOW
        """Bytes of messages that the server takes by now."""
        self._received = 0
        self._unread = b""
        self.max_streams = 2**31
        self.open: dict[int, bool] = {}
        """Calls without an end yet → whether there was an answer."""
        self.going_away = False
        settings = struct.pack(
            ">HIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW
        )
        window = struct.pack(">I", _LARGEST_WINDOW - _FIRST_WINDOW)
        self._unsent = (
            PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, window)
        )

    def has_room(self, body_bytes: int) -> bool:
        """Whether another call may be sent now."""
        return (
            len(self.open) < self.max_streams
            and self._window > body_bytes
            and not self.going_away
            and len(self._unsent) < _READ_BYTES
        )

    def call(self, body: bytes) -> int:
        """Begin a call; returns its stream."""
        self._last_stream += 2
        stream = self._last_stream
        block, self._first_headers = self._first_headers or self._headers, None
        message = b"\0" + len(body).to_bytes(4) + body
        self._unsent += frame(HEADERS, END_HEADERS, stream, block) + frame(
            DATA, END_STREAM, stream, message
        )
        self._window -= len(message)
        self.open[stream] = False
        return stream

    def cancel(self, stream: int) -> None:
        """Give a call up."""
        del self.open[stream]
        self._unsent += frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4))

    def send(self) -> None:
        """Send as much as the socket takes."""
        if self._unsent:
            try:
                sent = self.socket.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    def receive(self) -> list[tuple[int, int]]:
        """The calls that ended by what has arrived: their streams, and their status codes, -1
        for a stream that the server reset. Raises ConnectionError at the connection's end.
        """
        try:
            read = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        if not read:
            raise ConnectionResetError("the server closed the connection")
        self._refill(len(read))
        unread = self._unread + read
        ended: list[tuple[int, int]] = []
        at, end = 0, len(unread)
        while end - at >= 9:
            high, low, kind, flags, stream = struct.unpack_from(">HBBBI", unread, at)
            after = at + 9 + (high << 8 | low)
            if after > end:
                break
            if stream:
                self._stream_frame(kind, flags, stream, unread[at + 9 : after], ended)
            else:
                self._connection_frame(kind, flags, unread[at + 9 : after])
            at = after
        self._unread = unread[at:]
        return ended

    def _stream_frame(
        self, kind: int, flags: int, stream: int, payload: bytes, ended: list[tuple[int, int]]
    ) -> None:
        if stream not in self.open:  # given up
            return
        if kind == RST_STREAM:
            ended.append((stream, -1))
        elif kind == HEADERS and flags & END_STREAM:
            status = _STATUS.search(payload)
            if status is None:
                raise ValueError(f"trailers without a status: {payload!r}")
            ended.append((stream, int(status[1])))
        else:
            return
        del self.open[stream]

    def _connection_frame(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == WINDOW_UPDATE:
            self._window += int.from_bytes(payload)
        elif kind == SETTINGS and not flags & ACK:
            for key, value in struct.iter_unpack(">HI", payload):
                if key == _MAX_CONCURRENT_STREAMS:
                    self.max_streams = value
            self._unsent += frame(SETTINGS, ACK, 0, b"")
        elif kind == PING and not flags & ACK:
            self._unsent += frame(PING, ACK, 0, payload)
        elif kind == GOAWAY:
            self.going_away = True

    def _refill(self, size: int) -> None:
        self._received += size
        if self._received > _REFILL_BYTES:
            self._unsent += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._received))
            self._received = 0
