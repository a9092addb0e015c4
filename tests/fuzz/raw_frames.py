"""HTTP/2 by hand: what gRPC's own libraries never send."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4
ANSWER_SECONDS: Final = 0.05
"""How long the other end gets to say something before the next is sent."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def header_block(fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Fields as HPACK literals without indexing (RFC 7541, section 6.2.2); each up to 126 bytes."""
    return b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
    )


def opening(path: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """What begins a connection with a call on it."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"x"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *extra,
    ]
    return (
        PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, END_HEADERS, 1, header_block(fields))
    )


def message(body: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    """A message as gRPC frames it, with any compression flag and any length."""
    return bytes([compressed]) + (len(body) if length is None else length).to_bytes(4) + body


def strange(chance: random.Random, paths: Sequence[str]) -> bytes:
    """What a connection may begin with, and rather should not."""
    path = b"/" + chance.choice(paths).encode()
    body = chance.randbytes(chance.randrange(64))
    match chance.randrange(9):
        case 0:
            return chance.randbytes(chance.randrange(1, 300))
        case 1:
            kind, flags = chance.randrange(256), chance.randrange(256)
            return PREFACE + frame(kind, flags, chance.randrange(2**31), body)
        case 2:
            sent = opening(path) + frame(DATA, END_STREAM, 1, message(body))
            return sent[: chance.randrange(len(sent))]
        case 3:
            return opening(path) + frame(DATA, END_STREAM, 1, body)
        case 4:
            return opening(path) + frame(DATA, END_STREAM, 1, message(body, compressed=1))
        case 5:
            length = chance.choice([0, 1, 2**16, 2**31, 2**32 - 1])
            return opening(path) + frame(DATA, END_STREAM, 1, message(body, length=length))
        case 6:
            encoding = (b"grpc-encoding", chance.choice([b"gzip", b"deflate", b"br", b"\xff"]))
            return opening(path, encoding) + frame(
                DATA, END_STREAM, 1, message(body, compressed=chance.randrange(4))
            )
        case 7:
            name = chance.choice(
                [b"authorization", b"x-request-id", b"x-symphony-act-as", b"grpc-timeout"]
            )
            return opening(path, (name, body)) + frame(DATA, END_STREAM, 1, message(b""))
        case _:
            altered = bytearray(opening(path) + frame(DATA, END_STREAM, 1, message(body) * 3))
            for _ in range(chance.randint(1, 4)):
                altered[chance.randrange(len(PREFACE), len(altered))] = chance.randrange(256)
            return bytes(altered)


def say(port: int, sent: bytes) -> bytes:
    """Open a connection, say something, and return what comes back before it is closed again."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(ANSWER_SECONDS)
        heard = b""
        try:
            connection.sendall(sent)
            while more := connection.recv(65536):
                heard += more
        except (TimeoutError, ConnectionError):
            pass
    return heard
