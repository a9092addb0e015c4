"""Lists with more items than the contract allows, found without looking at the items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message

from buf.validate import validate_pb2
from symphony_client.errors import Violation

_RULE: Final = "repeated.max_items"


def too_long_lists(message: Message, path: str = "") -> Iterator[Violation]:
    """Yields a violation for the first such list of each message that is not in such a list.

    They are told alone (docs/decisions/0007): to find all that is wrong in 100,000 items would
    take seconds.
    """
    for field, value in message.ListFields():
        if field.is_repeated:
            limit = field.GetOptions().Extensions[validate_pb2.field].repeated.max_items
            if limit and len(value) > limit:
                yield Violation(
                    field=f"{path}{field.name}",
                    rule=_RULE,
                    description=f"must have at most {limit} items; it has {len(value)}",
                )
                return
        if field.message_type is None:
            continue
        if field.is_repeated:
            for index, part in enumerate(value):
                yield from too_long_lists(part, f"{path}{field.name}[{index}].")
        else:
            yield from too_long_lists(value, f"{path}{field.name}.")
