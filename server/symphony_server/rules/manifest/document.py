"""A manifest as it was read: nested values, the places in them, and how places are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

Loc = tuple[str | int, ...]
"""The way to a value: keys and positions from the outermost object inwards."""

HIDDEN: Final = "<hidden>"
"""What is shown for a key that is a credential itself."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_$-]{1,64}")


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest that parses and keeps within the limits; its keys may still be all wrong."""

    document: Mapping[str, Any]
    """The outermost object: text, numbers, booleans, times, None, lists and objects of these."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in a manifest."""

    loc: Loc
    text: str

    @property
    def key(self) -> str:
        """The nearest key above it; a list's items share the list's."""
        return next((part for part in reversed(self.loc) if isinstance(part, str)), "")


def values_in(document: Mapping[str, Any]) -> Iterator[tuple[Loc, Any]]:
    """Every value with its place, objects and lists before what they hold, without recursion."""
    ahead: list[tuple[Loc, Any]] = [((), document)]
    while ahead:
        loc, value = ahead.pop()
        yield loc, value
        if isinstance(value, dict):
            ahead.extend([((*loc, key), item) for key, item in reversed(value.items())])
        elif isinstance(value, list):
            ahead.extend([((*loc, at), value[at]) for at in range(len(value) - 1, -1, -1)])


def texts_in(document: Mapping[str, Any]) -> Iterator[Text]:
    """Every text of the manifest, in the order it is written; keys are not among them."""
    return (Text(loc, value) for loc, value in values_in(document) if isinstance(value, str))


def keys_in(document: Mapping[str, Any]) -> dict[str, None]:
    """Every key of the manifest, once, in the order it is written."""
    return {loc[-1]: None for loc, _ in values_in(document) if loc and isinstance(loc[-1], str)}


def place(loc: Loc, hidden: AbstractSet[str] = frozenset()) -> str:
    """The place as it is written in messages: `hooks.install`, `permissions[2]`, `x["a b"]`.

    Only visible ASCII comes out, whatever the keys are made of; `hidden` keys are not shown.
    """
    written = ""
    for part in loc:
        if isinstance(part, int):
            written += f"[{part}]"
        elif part in hidden:
            written += f"[{HIDDEN}]"
        elif _PLAIN_KEY.fullmatch(part):
            written += f".{part}" if written else part
        else:
            written += f"[{json.dumps(part)}]"
    return written
