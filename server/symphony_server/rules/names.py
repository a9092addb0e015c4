"""How names are compared, searched by their beginning, and quoted in messages."""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

MAX_NAME_CHARACTERS: Final = 128
"""The contract's `max_len` of every resource's name."""

ABOVE_EVERY_KEY: Final = "\U0010ffff" * (MAX_NAME_CHARACTERS + 1)
"""Sorts after the key of any name: none has so many characters, and no other gives a U+10FFFF."""

_LAST_CHARACTER: Final = "\U0010ffff"
_LAST_BEFORE_SURROGATES: Final = "\ud7ff"
_FIRST_AFTER_SURROGATES: Final = "\ue000"
_MAX_QUOTED_CHARACTERS: Final = 64


def name_key(name: str) -> str:
    """The key by which names are compared: equal keys are the same name.

    NFKC, case folding, and NFKC again, because folding can leave text that is not normalised.
    Unicode promises that the key of assigned characters never changes, so keys may be stored.
    A key can be longer than its name: up to 18 times.
    """
    return normalize("NFKC", normalize("NFKC", name).casefold())


def prefix_range(prefix: str) -> tuple[str, str]:
    """The bounds `low <= key < high` of the keys that start with the prefix's key.

    Keys are ordered by code point, which is also the order of their UTF-8 bytes: SQLite's BINARY
    and PostgreSQL's "C" collation. The bounds never hold a surrogate, which UTF-8 can't carry.

    It is the keys that are compared, so a prefix is not always cut where a person would cut:

    - "s" finds "ß…", and "ß" finds "ss…", since ß folds to ss; "f" finds the ligature "ﬁ…";
    - "e" does not find "é…", not even where that name was typed as "e" and a combining accent,
      for both have the one key with the composed é. In the same way the syllable 하 does not find
      한, and a prefix that ends inside such a cluster finds nothing beyond what it is composed to.

    A prefix with U+0000 finds nothing: the contract allows it in no name, and PostgreSQL refuses
    it in any text.
    """
    low = name_key(prefix)
    if "\0" in low:
        return "", ""
    stem = low.rstrip(_LAST_CHARACTER)
    if not stem:
        return low, ABOVE_EVERY_KEY
    return low, stem[:-1] + _next_character(stem[-1])


def quoted(name: str) -> str:
    """The name in quotes for a message, cut where it is long."""
    if len(name) > _MAX_QUOTED_CHARACTERS:
        name = name[: _MAX_QUOTED_CHARACTERS - 1] + "…"
    return f'"{name}"'


def _next_character(character: str) -> str:
    """The character after one that is not the last."""
    if character == _LAST_BEFORE_SURROGATES:
        return _FIRST_AFTER_SURROGATES
    return chr(ord(character) + 1)
