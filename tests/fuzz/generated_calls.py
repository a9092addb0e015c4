"""Requests made from the descriptors, for every RPC, to a real server: sound ones, ones with
something odd in them, and ones with bytes changed.

Each ends in an answer or in a canonical refusal: none UNKNOWN, none INTERNAL, none that shows
what the server is made of, none that does not end.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from symphony_server.rpc.methods import Method
from tests.client.spoiled_requests import spoiled
from tests.e2e.odd_requests import odd_requests
from tests.e2e.place import open_place
from tests.fuzz.scene import METHODS, Scene, directory_in, drawn, made

EACH: Final = 10
"""Requests of an RPC in a round; hypothesis takes longer to make one than the server to answer."""
SPOILED: Final = 10
"""So many more are made of each by changing a field or two, which costs little."""


def call_generated(database_url: str, directory: Path, seconds: float, start: int) -> Scene:
    """Call every RPC round after round: one whole round, and for so many seconds. The number to
    start with says which requests.
    """
    with open_place(directory_in(directory, "calls"), "--database", database_url) as place:
        scene = made(place)
        scene.chance.seed(start)
        end = time.monotonic() + seconds
        for number in count(start):
            for method in METHODS.values():
                if number > start and time.monotonic() > end:
                    return scene
                requests = odd_requests(method.request_class, scene.known)
                drawn(requests, EACH, number, partial(_send, scene, method))
    raise AssertionError("numbers do not end")


def _send(scene: Scene, method: Method, body: bytes) -> None:
    scene.send(method, body)
    try:
        request = method.request_class.FromString(body)
    except DecodeError:
        return
    for _ in range(SPOILED):
        scene.send(method, spoiled(request, scene.chance).SerializeToString())
