"""Any bytes to a real server: as messages of every RPC, gRPC's own among them, and as HTTP/2.

Whatever comes, the server is there for everybody else, finds no fault with itself, and shows
nobody what it is made of.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc

from symphony.v1.access_service_pb2 import WhoAmIRequest
from tests.e2e.place import Place, open_place
from tests.e2e.wire import TIMEOUT_SECONDS, tells_insides
from tests.fuzz.raw_frames import say, strange
from tests.fuzz.scene import METHODS, Scene, directory_in, made
from tests.fuzz.target_table import seeds_of

GRPCS_OWN: Final = (
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
_REFUSED_BY_THEM: Final = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
)
CONNECTIONS_A_ROUND: Final = 40
MOST_BYTES: Final = 300


def send_bytes(database_url: str, directory: Path, seconds: float, start: int) -> tuple[int, int]:
    """Send bytes for so many seconds; returns how many messages, and how many connections."""
    chance = random.Random(start)  # noqa: S311 - the same again for the same number
    connections = 0
    bodies = [path.read_bytes()[1:] for path in seeds_of("requests")]
    with (
        open_place(directory_in(directory, "bytes"), "--database", database_url) as place,
        ThreadPoolExecutor(CONNECTIONS_A_ROUND // 2) as pool,
    ):
        scene = made(place)
        scene.chance = chance
        end = time.monotonic() + seconds
        while True:
            for method in METHODS.values():
                scene.send(method, _body(chance, bodies))
            for name in GRPCS_OWN:
                _ask_grpcs_own(scene, name, _body(chance, bodies))
            paths = [*METHODS, *GRPCS_OWN, "x"]
            said = [strange(chance, paths) for _ in range(CONNECTIONS_A_ROUND)]
            for heard in pool.map(partial(say, place.server.port), said):
                assert not tells_insides(heard.decode("latin-1")), heard
            connections += len(said)
            _is_there(place)
            if time.monotonic() > end:
                return scene.calls, connections


def _body(chance: random.Random, bodies: list[bytes]) -> bytes:
    """Nothing but chance, or something sound with a few bytes changed or cut off."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(MOST_BYTES))
    body = bytearray(chance.choice(bodies) or b"\0")
    for _ in range(chance.randint(1, 3)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body[: chance.randint(1, len(body))])


def _ask_grpcs_own(scene: Scene, name: str, body: bytes) -> None:
    scene.calls += 1
    ask: Any = scene.place.wire.channel.stream_stream(f"/{name}")
    stream = ask(iter([body]), timeout=TIMEOUT_SECONDS)
    try:
        next(stream)
    except grpc.RpcError as error:
        call: Any = error
        assert call.code() in _REFUSED_BY_THEM, error
        assert not tells_insides(call.details()), error
    finally:
        stream.cancel()


def _is_there(place: Place) -> None:
    place.admin.get(place.admin.access.WhoAmI, WhoAmIRequest())
