"""Requests with one thing in them made odd: cheap to make, where generating each takes a while."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.e2e.odd_requests import INTEGERS, TEXTS

MessageT = TypeVar("MessageT", bound=Message)

TOO_MANY: Final = 1001
"""More items than any list may have."""
_INT32: Final = tuple(number for number in INTEGERS if -(2**31) <= number < 2**31)
_ENUM: Final = (0, 1, -1, 4242)


def spoiled(request: MessageT, chance: Random) -> MessageT:
    """A copy with one or two fields, anywhere in it, set to something odd, swollen or left out."""
    copy = type(request)()
    copy.CopyFrom(request)
    for _ in range(chance.randint(1, 2)):
        places = list(_places(copy))
        if places:
            message, field = chance.choice(places)
            _spoil(message, field, chance)
    return copy


def _places(message: Message) -> Iterator[tuple[Message, Any]]:
    """Every field, set or not, of every message that is there."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from _places(part)


def _spoil(message: Any, field: FieldDescriptor, chance: Random) -> None:
    if chance.random() < 0.2:
        message.ClearField(field.name)
    elif field.is_repeated:
        _spoil_list(getattr(message, field.name), field, chance)
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
    else:
        setattr(message, field.name, _odd(field, chance))


def _spoil_list(items: Any, field: FieldDescriptor, chance: Random) -> None:
    if not items:
        if field.message_type is None:
            items.append(_odd(field, chance))
        else:
            items.add()
    elif chance.random() < 0.2:
        items.extend([items[0]] * TOO_MANY)
    elif field.message_type is None and chance.random() < 0.5:
        items[chance.randrange(len(items))] = _odd(field, chance)
    else:
        items.extend([items[-1]])


def _odd(field: FieldDescriptor, chance: Random) -> Any:
    kinds = FieldDescriptor
    match field.cpp_type:
        case kinds.CPPTYPE_BOOL:
            return True
        case kinds.CPPTYPE_ENUM:
            return chance.choice(_ENUM)
        case kinds.CPPTYPE_INT32:
            return chance.choice(_INT32)
        case kinds.CPPTYPE_INT64:
            return chance.choice(INTEGERS)
    return chance.choice(TEXTS)
