"""Calls that a server is to keep for long, or whose message is more than it looks."""

from __future__ import annotations

import socket
import struct
import time
import zlib
from contextlib import ExitStack, suppress
from typing import Final

from hpack import Encoder

from tests.faults.attack_means import (
    FIRST_FRAMES,
    PATIENCE_SECONDS,
    again,
    headers,
    over_and_over,
)
from tests.faults.http2_connection import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Headers,
    call_headers,
    frame,
)

INITIAL_WINDOW_SIZE: Final = 4
WATCHES: Final = 2500
WATCHES_A_CONNECTION: Final = 20
"""So few that none is turned away for coming with too many others."""


def stalled_calls(target: str, until: float, metadata: Headers) -> int:
    """Calls whose message never comes, or never to its end; each stays open."""
    block = Encoder().encode([*headers(), *metadata])
    begin = b"\0" + (8_000_000).to_bytes(4)

    def bunch(before: int) -> bytes:
        streams = range(2 * before + 1, 2 * (before + 50) + 1, 2)
        return b"".join(
            frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, 0, stream, begin)
            for stream in streams
        )

    return over_and_over(target, until, bunch, size=50)


def compression_bombs(target: str, until: float, metadata: Headers) -> int:
    """A gibibyte of zeros, in the mebibyte that gzip makes of it."""
    packer = zlib.compressobj(9, wbits=31)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing depends on what was before: the same again is as much again.
    mebibyte = packer.compress(b"\0" * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = start + 1024 * mebibyte
    block = Encoder().encode([*headers(), ("grpc-encoding", "gzip"), *metadata])
    message = b"\1" + len(bomb).to_bytes(4) + bomb
    begin = frame(HEADERS, END_HEADERS, 1, block)

    def act(opened: socket.socket) -> int:
        opened.sendall(FIRST_FRAMES + begin)
        with suppress(OSError):  # how the server says no, after it has said it
            _pour(opened, message)
        return 1

    return again(target, until, act)


def _pour(opened: socket.socket, message: bytes) -> None:
    """Send a message on the first stream, as fast as it is let in, until its answer comes."""
    room, unread, at = {0: 65_535, 1: 65_535}, b"", 0
    while True:
        size = min(16_384, len(message) - at, *room.values())
        if size > 0:
            opened.sendall(frame(DATA, 0, 1, message[at : at + size]))
            at += size
            room = {stream: left - size for stream, left in room.items()}
        opened.settimeout(0 if size > 0 else PATIENCE_SECONDS)
        with suppress(BlockingIOError):
            unread += opened.recv(1 << 16)
        opened.settimeout(PATIENCE_SECONDS)
        while len(unread) >= 9 and len(unread) >= (after := 9 + int.from_bytes(unread[:3])):
            kind, stream = unread[3], int.from_bytes(unread[5:9])
            payload, unread = unread[9:after], unread[after:]
            if kind == WINDOW_UPDATE:
                room[stream] += int.from_bytes(payload)
            elif kind == SETTINGS:
                for key, value in struct.iter_unpack(">HI", payload):
                    room[1] += value - 65_535 if key == INITIAL_WINDOW_SIZE else 0
            elif kind in (HEADERS, RST_STREAM):
                return


def many_watches(target: str, until: float, metadata: Headers) -> int:
    """More watches of one user than a server holds for all; returns how many were begun."""
    return _keep_open(target, until, "/symphony.v1.ChangeService/Watch", metadata, WATCHES)


def many_health_watches(target: str, until: float, _metadata: Headers) -> int:
    """More watches of the server's health, by nobody, than it takes calls of any kind."""
    return _keep_open(target, until, "/grpc.health.v1.Health/Watch", (), 3 * WATCHES)


def _keep_open(target: str, until: float, path: str, metadata: Headers, calls: int) -> int:
    host, _, port = target.rpartition(":")
    block = Encoder().encode(call_headers(path, "localhost", metadata, None))
    begin = b"".join(
        frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, bytes(5))
        for stream in range(1, 2 * WATCHES_A_CONNECTION, 2)
    )
    begun = 0
    with ExitStack() as stack:
        while begun < calls and time.monotonic() < until:
            opened = stack.enter_context(socket.create_connection((host, int(port))))
            opened.settimeout(PATIENCE_SECONDS)
            opened.sendall(FIRST_FRAMES + begin)
            opened.recv(1 << 16)  # the server's own settings: it has come to this connection
            begun += WATCHES_A_CONNECTION
        time.sleep(max(0, until - time.monotonic()))
    return begun
