"""Broken rules of the contract in plain words: what is wrong and what to change.

Values that were sent are never repeated, for they may be secrets; only the known prefix of
an id is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from symphony_server.ids import KINDS

_ID_PATTERN: Final = re.compile(r"\^\(?([a-z|]+)\)?_\[0-7\]")
_EXAMPLE: Final = "01jz8r4t5vfxh8m0q2n3p4s5t6"


def describe(rule: str, limit: Any, value: Any, fallback: str) -> str:
    """What is wrong, for a rule id, the rule's limit and the value that broke it."""
    say = _WORDS.get(rule)
    return say(limit, value) if say is not None else fallback


def _pattern(pattern: str, value: str) -> str:
    ids = _ID_PATTERN.match(pattern)
    if ids is not None:
        return _id(ids[1].split("|"), value)
    if pattern == "^[!-~]*$":
        return "must have visible ASCII characters only, and no spaces"
    if "@" in pattern:
        return "must be an e-mail address with one '@' and no spaces"
    if "\\p{Z}" in pattern:
        if not value.strip():
            return "must not be blank"
        return "must not contain control characters such as line breaks"
    if "\\." in pattern:
        return (
            "must be '*' or a permission such as 'workflows.create' or its prefix 'workflows.'"
            if "\\*" in pattern
            else "must be a permission such as 'workflows.create'"
        )
    return f"must match the pattern {pattern}"


def _id(kinds: list[str], value: str) -> str:
    names = " or ".join(f"{kind}_" for kind in kinds)
    expected = f"must be an id such as {kinds[0]}_{_EXAMPLE}"
    if not value:
        return f"must be set: an id that begins with {names}"
    prefix, _, rest = value.partition("_")
    if rest and prefix in KINDS and prefix not in kinds:
        return (
            f"must begin with {names}, but this is the id of a {prefix} (it begins with {prefix}_)"
        )
    if prefix in kinds:
        return f"{expected}: after {prefix}_ come 26 characters of 0-9 and a-z without i, l, o, u"
    return f"{expected}; it must begin with {names}"


def _at_least(unit: str) -> Callable[[Any, Any], str]:
    def say(limit: Any, value: Any) -> str:
        if limit == 1:
            return "must not be empty"
        return f"must have at least {limit} {unit}; it has {len(value)}"

    return say


def _at_most(unit: str) -> Callable[[Any, Any], str]:
    def say(limit: Any, value: Any) -> str:
        size = len(value.encode()) if unit == "bytes" else len(value)
        return f"must have at most {limit} {unit}; it has {size}"

    return say


_WORDS: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "required": lambda _limit, _value: "must be set",
    "string.min_len": _at_least("characters"),
    "string.max_len": _at_most("characters"),
    "string.min_bytes": _at_least("bytes"),
    "string.max_bytes": _at_most("bytes"),
    "string.pattern": _pattern,
    "string.in": lambda limit, _value: (
        "must be one of " + ", ".join(f"'{choice}'" for choice in limit if choice)
    ),
    "repeated.min_items": _at_least("items"),
    "repeated.max_items": _at_most("items"),
    "repeated.unique": lambda _limit, _value: "must not name anything twice",
    "enum.defined_only": lambda _limit, _value: "must be a value that the contract knows",
    "enum.not_in": lambda _limit, _value: "must be set to a value other than UNSPECIFIED",
}
