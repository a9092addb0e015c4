"""What attacks are made of: connections, one after another, and floods of frames over them.

A server may end a connection at any time, which is an answer as good as any: then another begins.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.faults.http2_connection import PREFACE, SETTINGS, Headers, call_headers, frame

PATH: Final = "/symphony.v1.WorkflowService/GetWorkflow"
BUNCH: Final = 200
FIRST_FRAMES: Final = PREFACE + frame(SETTINGS, 0, 0, b"")
PATIENCE_SECONDS: Final = 2.0

Attack = Callable[[str, float, Headers], int]
"""Takes where the server is, until when to go on, and the credentials of a user; returns how often
it did what it does.
"""


@contextmanager
def connected(target: str) -> Iterator[socket.socket]:
    """A connection; that the server ends it ends the block, quietly."""
    host, _, port = target.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port))) as opened:
        opened.settimeout(PATIENCE_SECONDS)
        yield opened


def again(target: str, until: float, act: Callable[[socket.socket], int]) -> int:
    """Do something on one connection after another; returns how often it was done."""
    done = 0
    while time.monotonic() < until:
        with connected(target) as opened:
            done += act(opened)
    return done


def over_and_over(
    target: str, until: float, bunch: Callable[[int], bytes], size: int = BUNCH, first: bytes = b""
) -> int:
    """Send bunches of frames over one connection after another and read no answer but what makes
    room; returns how many frames were sent. `bunch` gets the number of those before it.
    """
    sent = 0
    while time.monotonic() < until:
        with connected(target) as opened:
            opened.sendall(FIRST_FRAMES + first)
            here = 0
            while time.monotonic() < until:
                opened.sendall(bunch(here))
                here += size
                sent += size
                opened.settimeout(0)
                with suppress(BlockingIOError):
                    while opened.recv(1 << 16):
                        pass
                opened.settimeout(PATIENCE_SECONDS)
    return sent


def headers() -> list[tuple[str, str]]:
    """Those of nobody's call."""
    return list(call_headers(PATH, "localhost", (), None))
