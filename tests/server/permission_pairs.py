"""Pairs of calls that differ only in the id they name: of what is hidden, and of what is absent.

The answers may differ in the id itself and in the decision's id; the `x-request-id` is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import ExplainDecisionRequest
from symphony_server.ids import KINDS, new_id
from tests.server.permission_wire import Ask, Told
from tests.server.permission_world import MatrixWorld
from tests.server.world import Person

SHOWN: Final = 6
EXPLAIN: Final = "AccessService/ExplainDecision"
SAME_REQUEST_ID: Final = (("x-request-id", "the-same"),)
DECISION_ID: Final = re.compile(rb"audit_[0-7][0-9a-hjkmnp-tv-z]{25}")
OF_NOW: Final = ("id", "token", "secret", "create_time", "update_time", "etag", "results")
"""What a validated write answers that is made anew each time."""


def value_at(request: Message, path: str) -> str:
    value: Any = request
    for name in path.split("."):
        value = getattr(value, name)
        if not isinstance(value, str | Message):
            value = value[0]
    return str(value)


def with_value(request: Message, path: str, value: str) -> Any:
    """A copy of a request that names something else; of a list, in its first place."""
    copied = type(request)()
    copied.CopyFrom(request)
    *outer, last = path.split(".")
    place: Any = copied
    for name in outer:
        place = getattr(place, name)
        if not isinstance(place, Message):
            place = place[0] if len(place) else place.add()
    if isinstance(getattr(place, last), str):
        setattr(place, last, value)
    else:
        del getattr(place, last)[:]
        getattr(place, last).append(value)
    return copied


def absent_as(hidden: str) -> str:
    """What does not exist, of the same kind and length as something that does."""
    if "@" in hidden:
        return hidden.replace("matrix", "absent")
    return new_id(next(kind for kind in KINDS if hidden.startswith(f"{kind}_")))


def veiled(value: bytes | str, sought: str) -> bytes:
    """What was sent, without the id that was sought and the ids of decisions."""
    seen = value if isinstance(value, bytes) else value.encode()
    return DECISION_ID.sub(b"DECISION", seen.replace(sought.encode(), b"ID"))


def face(told: Told, sought: str) -> tuple[Any, ...]:
    """All that a caller sees of an answer."""
    response = b""
    if told.response is not None:
        for name in OF_NOW:
            if name in told.response.DESCRIPTOR.fields_by_name:
                told.response.ClearField(name)
        response = told.response.SerializeToString(deterministic=True)
    trailing = [(key, veiled(value, sought)) for key, value in told.trailing]
    message, answer = veiled(told.message, sought), veiled(response, sought)
    return told.code.name, message, trailing, answer


@dataclass(frozen=True)
class Asked:
    """A request that names what is hidden, which is also made for what is absent."""

    name: str
    person: Person
    request: Any


@dataclass(frozen=True)
class Pair:
    """Two answers to the same caller: for what is hidden and for what is absent."""

    asked: Asked
    hidden: str
    absent: str
    of_hidden: Told
    of_absent: Told


def ask_for_both(matrix: MatrixWorld, rpc: str, path: str, requests: Iterable[Asked]) -> list[Pair]:
    named = [(a, hidden := value_at(a.request, path), absent_as(hidden)) for a in requests]
    told = matrix.wire.ask(
        Ask(rpc, with_value(asked.request, path, name), asked.person, SAME_REQUEST_ID)
        for asked, hidden, absent in named
        for name in (hidden, absent)
    )
    return [Pair(*each, *told[2 * index : 2 * index + 2]) for index, each in enumerate(named)]


def tell_apart(pairs: Iterable[Pair]) -> list[str]:
    """How hidden and absent are told apart by their answers, a line an answer."""
    found = []
    for pair in pairs:
        one, other = face(pair.of_hidden, pair.hidden), face(pair.of_absent, pair.absent)
        found += differences(pair.asked.name, one, other)
    return found


def explain_apart(matrix: MatrixWorld, pairs: Sequence[Pair]) -> list[str]:
    """How hidden and absent are told apart by the explanations of the two decisions."""
    told = iter(
        matrix.wire.ask(
            Ask(EXPLAIN, ExplainDecisionRequest(decision_id=answer.decision_id), pair.asked.person)
            for pair in pairs
            for answer in (pair.of_hidden, pair.of_absent)
        )
    )
    found = []
    for pair in pairs:
        rules = [explained(next(told), sought) for sought in (pair.hidden, pair.absent)]
        found += differences(pair.asked.name, rules[:1], rules[1:])
    return found


def explained(told: Told, sought: str) -> list[tuple[Any, ...]]:
    """The rules of an explanation, without the id that was sought."""
    return [
        (r.rule, r.passed, r.reason, r.detail.replace(sought, "ID"), r.remedy)
        for r in told.response.rules
    ]


def differences(name: str, one: Sequence[Any], other: Sequence[Any]) -> list[str]:
    """The first difference of two things that should be the same; none when they are."""
    for this, that in zip(one, other, strict=True):
        if this != that:
            return [f"{name}:\n    {this}\n    {that}"]
    return []


def report(found: list[str]) -> str:
    return f"{len(found)} tell hidden (above) from absent (below):\n" + "\n".join(found[:SHOWN])
