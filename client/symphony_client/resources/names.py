"""How the server compares names, so that the client finds and sorts by them alike."""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

_MAX_NAME_CHARACTERS: Final = 128
_LAST_CHARACTER: Final = "\U0010ffff"


def name_key(name: str) -> str:
    """The key by which names are compared: equal keys are the same name (NFKC, case folded)."""
    return normalize("NFKC", normalize("NFKC", name).casefold())


def prefix_bounds(prefix: str) -> tuple[str, str]:
    """The bounds `low <= key <= high` of the keys that start with the prefix's key.

    No name has so many characters that more of the last one could follow.
    """
    low = name_key(prefix)
    return low, low + _LAST_CHARACTER * (_MAX_NAME_CHARACTERS + 1)
