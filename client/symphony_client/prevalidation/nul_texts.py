"""Texts with U+0000 in them, which the server refuses before it looks at any other rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from symphony_client.errors import Violation

_RULE: Final = "string.nul"
_DESCRIPTION: Final = "must not contain the character U+0000, which not every database can keep"


def texts_with_nul(message: Message, path: str = "") -> Iterator[Violation]:
    """Yields a violation for each of them, in the server's order."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            for index, text in enumerate(value if field.is_repeated else (value,)):
                if "\0" in text:
                    place = f"[{index}]" if field.is_repeated else ""
                    yield Violation(
                        field=f"{path}{field.name}{place}", rule=_RULE, description=_DESCRIPTION
                    )
        elif field.message_type is None:
            continue
        elif field.is_repeated:
            for index, part in enumerate(value):
                yield from texts_with_nul(part, f"{path}{field.name}[{index}].")
        else:
            yield from texts_with_nul(value, f"{path}{field.name}.")
