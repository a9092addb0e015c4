"""Attacks on the beginning of a connection."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import suppress

from tests.faults.attack_means import FIRST_FRAMES, again
from tests.faults.http2_connection import PREFACE, Headers


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
        opened.sendall(FIRST_FRAMES)
        return 1

    return again(target, until, act)


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
