"""A server in a process of its own, with something in it to ask about, and who asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from hypothesis import HealthCheck, Phase, given, seed, settings

from symphony_server.rpc.methods import Method, read_methods
from tests.e2e.known_things import make_known_things
from tests.e2e.place import Place
from tests.e2e.wire import TIMEOUT_SECONDS, Metadata, is_canonical, shows_as_json
from tests.server.world import Person, read_refusal

T = TypeVar("T")

METHODS: Final[dict[str, Method]] = dict(sorted(read_methods().items()))
ODD_METADATA: Final[tuple[tuple[str, str | bytes], ...]] = (
    ("x-symphony-act-as", "user_01h455vb4pex5vsknk084sn02q"),
    ("x-symphony-act-as", "'; DROP TABLE users; --"),
    ("x-symphony-user", "root"),
    ("x-request-id", "two words"),
    ("x-request-id", "x" * 65),
    ("traceparent", "00-zz-zz-01"),
    ("grpc-status-details-bin", b"\xff\x00"),
    ("authorization-bin", b"Bearer x"),
)


@dataclass
class Scene:
    """Who calls, what there is, and how many calls were made."""

    place: Place
    known: list[str]
    """Ids that requests may name; none of them is the callers' own."""
    callers: list[Metadata]
    calls: int = 0
    refused: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def send(self, method: Method, body: bytes) -> None:
        """One call; fails unless it ends, in an answer or in a canonical refusal that shows
        nothing of the server's insides.
        """
        metadata = list(self.chance.choice(self.callers))
        if self.chance.random() < 0.05:
            metadata.append(self.chance.choice(ODD_METADATA))
        self.calls += 1
        try:
            answer = _first_answer(self.place.wire.channel, method, body, metadata)
        except grpc.RpcError as error:
            self.refused += 1
            is_canonical(read_refusal(error))
            return
        shows_as_json(method.name, answer)


def _first_answer(channel: grpc.Channel, method: Method, body: bytes, metadata: Metadata) -> bytes:
    if not method.streams:
        call: Any = channel.unary_unary(f"/{method.name}")
        answer: bytes = call(body, metadata=metadata, timeout=TIMEOUT_SECONDS)
        return answer
    watch: Any = channel.unary_stream(f"/{method.name}")
    stream = watch(body, metadata=metadata, timeout=TIMEOUT_SECONDS)
    try:
        first: bytes = next(stream)
    finally:
        stream.cancel()
    return first


def made(place: Place) -> Scene:
    """A scene on a running server."""
    known = make_known_things(place)
    callers = [_metadata(place.admin), _metadata(known.owner), _metadata(known.member), []]
    return Scene(place, known.ids, callers)


def _metadata(person: Person) -> Metadata:
    return (("authorization", f"Bearer {person.secret}"),)


def drawn(strategy: Any, count: int, number: int, use: Callable[[Any], None]) -> None:
    """Use so many values of a strategy, others for each number; hypothesis makes what fails as
    small as it can.
    """

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(value=strategy)
    def run(value: Any) -> None:
        use(value)

    run()


def directory_in(parent: Path, name: str) -> Path:
    """A directory of a server's own."""
    made_ = parent / name
    made_.mkdir()
    return made_
