"""Whether a document has the shape of a message, every mistake of it told, with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_DURATION: Final = "google.protobuf.Duration"
_WRITTEN_DURATION: Final = re.compile(r"-?[0-9]+(\.[0-9]{1,9})?s")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_INTEGERS: Final = frozenset({FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64})


def mistakes(value: Any, message: Descriptor, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields each place where the value is not the JSON form of the message, and what is wrong."""
    if not isinstance(value, dict):
        yield path, f"takes keys and values, not {_said(value)}"
        return
    fields = {name: one for one in message.fields for name in (one.name, one.json_name)}
    seen: dict[str, str] = {}
    for key, below in value.items():
        where = f"{path}.{key}" if path else key
        field = fields.get(key)
        if field is None:
            yield where, _unknown(key, message)
            continue
        if field.name in seen:
            yield where, f"is the same as {seen[field.name]!r} beside it; keep one of them"
        seen[field.name] = key
        if below is not None:
            yield from _wrong(below, field, where)


def _wrong(value: Any, field: FieldDescriptor, path: str) -> Iterator[tuple[str, str]]:
    if not field.is_repeated:
        yield from _wrong_one(value, field, path)
    elif not isinstance(value, list):
        yield path, f"takes a list, not {_said(value)}"
    else:
        for place, one in enumerate(value):
            yield from _wrong_one(one, field, f"{path}[{place}]")


def _wrong_one(value: Any, field: FieldDescriptor, path: str) -> Iterator[tuple[str, str]]:
    if field.message_type is not None and field.message_type.full_name != _DURATION:
        yield from mistakes(value, field.message_type, path)
        return
    wanted = _what_it_takes(value, field)
    if wanted:
        yield path, f"takes {wanted}, not {_said(value)}"


def _what_it_takes(value: Any, field: FieldDescriptor) -> str:
    """What the field takes, if this is not it."""
    if field.message_type is not None:
        written = isinstance(value, str) and _WRITTEN_DURATION.fullmatch(value)
        return "" if written else "seconds with an s, such as 300s or 0.5s"
    if isinstance(field.enum_type, EnumDescriptor):
        known = value in field.enum_type.values_by_name
        return "" if known else f"one of {', '.join(field.enum_type.values_by_name)}"
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "" if isinstance(value, bool) else "true or false"
    if field.cpp_type in _INTEGERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        digits = isinstance(value, str) and _WHOLE.fullmatch(value)
        return "" if whole or digits else "a whole number"
    return "" if isinstance(value, str) else "text; put it in quotes"


def _unknown(key: str, message: Descriptor) -> str:
    names = [one.name for one in message.fields]
    near = get_close_matches(key, [*names, *(one.json_name for one in message.fields)], n=1)
    if near:
        return f"there is no such key; did you mean {near[0]}?"
    return f"there is no such key; known are {', '.join(names)}"


def _said(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "keys and values"
        case list():
            return "a list"
        case str():
            return repr(value if len(value) <= 40 else f"{value[:40]}…")
        case _:
            return str(value)
