"""Credentials that are good but for a change: an access token and a JWT of each algorithm, with
characters altered, left out, put in, exchanged or said otherwise. None of them is accepted.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import grpc

from symphony.v1.access_service_pb2 import WhoAmIRequest
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.world import Person, World, read_refusal

CHARACTERS: Final = string.ascii_letters + string.digits + "-_.=+/~ "
LONGEST: Final = 6000
"""More metadata than 8 KiB gRPC refuses by itself, whatever it says (docs/security.md)."""
_REFUSED: Final = "CREDENTIALS_INVALID"
_ACCEPTED: Final = "accepted"


def mutations(good: str, chance: random.Random) -> Iterator[str]:
    """What is nearly a credential, without end. Blanks around one are no part of it."""
    while True:
        text = good
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            text = chance.choice(_CHANGES)(text, chance)
        if text.strip() != good and len(text) <= LONGEST:
            yield text


def _alter(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(CHARACTERS) + text[at + 1 :]


def _alter_the_last(text: str, chance: random.Random) -> str:
    """Of a part: where base64 has bits that say nothing."""
    ends = [at for at in range(1, len(text)) if text[at] == "."] + [len(text)]
    at = chance.choice([*ends, len(text), len(text)]) - 1
    return text[:at] + chance.choice(CHARACTERS) + text[at + 1 :]


def _leave_out(text: str, chance: random.Random) -> str:
    at, length = chance.randrange(len(text)), chance.choice((1, 1, 2, 10))
    return text[:at] + text[at + length :] or "x"


def _put_in(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(CHARACTERS) + text[at:]


def _exchange(text: str, chance: random.Random) -> str:
    if len(text) < 2:
        return text
    at = chance.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _other_case(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + text[at].swapcase() + text[at + 1 :]


def _say_twice(text: str, chance: random.Random) -> str:
    return text + chance.choice(("", ".", ",", " ")) + text


def _exchange_parts(text: str, chance: random.Random) -> str:
    parts = text.split(".")
    chance.shuffle(parts)
    return ".".join(parts)


_CHANGES: Final[tuple[Callable[[str, random.Random], str], ...]] = (
    *(_alter, _alter_the_last, _alter_the_last, _leave_out, _put_in, _exchange),
    *(_other_case, _say_twice, _exchange_parts),
)


def try_mutations(directory: Path, chance: random.Random, more: Callable[[int], bool]) -> int:
    """Call with mutations of each credential for as long as `more` says of how many there were;
    fails when one is accepted, or refused otherwise than it should be. Returns how many.
    """
    provider = Provider(directory / "keys.json")
    tried = 0
    keys = str(provider.path)
    with World(directory, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=keys) as world:
        person = world.user()
        tokens = [provider.token(key_id, sub=person.id) for key_id in provider.keys]
        credentials = [str(person.secret), *tokens]
        for good in credentials:
            assert _became(person, good) == _ACCEPTED
        endless = [mutations(good, chance) for good in credentials]
        while more(tried):
            altered = next(endless[tried % len(endless)])
            became = _became(person, altered)
            assert became == _REFUSED, f"{became}: {altered}"
            tried += 1
        for good in credentials:
            assert _became(person, good) == _ACCEPTED
    return tried


def _became(person: Person, credential: str) -> str:
    """What became of a call with a credential: accepted, or refused with a code and a reason."""
    bearer = Person(person.channel, credential)
    try:
        bearer.get(bearer.access.WhoAmI, WhoAmIRequest())
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        return refusal.reason or f"{refusal.code.name}, {refusal.message}"
    return _ACCEPTED
