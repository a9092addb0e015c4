"""Beside what is installed: no other publisher's name, and no step back to an older version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from unicodedata import normalize

from symphony_server.rules.manifest.characters import PUBLISHER, latin_twin
from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.versions import is_higher
from symphony_server.rules.names import name_key, quoted

_READ_ALIKE: Final = (("rn", "m"), ("vv", "w"), ("-", ""))
_LOOK_ALIKE: Final = str.maketrans("01i5", "olls")


def imitates_name(claims: Claims) -> Iterator[Finding]:
    """A name that is taken for another publisher's gets that one's trust."""
    if not claims.name:
        return
    looks = _look(claims.name)
    publisher = name_key(claims.publisher)
    for other in claims.installed:
        near = is_one_edit(claims.name, other.name) or looks == _look(other.name)
        if near and publisher != name_key(other.publisher):
            yield Finding(
                ("name",),
                f"is too like {quoted(other.name)} of {quoted(other.publisher)}, which is"
                " installed; choose a name that nobody takes for it",
            )


def imitates_publisher(claims: Claims) -> Iterator[Finding]:
    """So does a publisher that is written with other letters that look the same."""
    if claims.publisher.isascii() and all(other.publisher.isascii() for other in claims.installed):
        return
    looks, key = _letters(claims.publisher), name_key(claims.publisher)
    for publisher in {other.publisher: None for other in claims.installed}:
        if looks == _letters(publisher) and key != name_key(publisher):
            yield Finding(
                PUBLISHER,
                "looks the same as the publisher of what is installed, but has other letters;"
                f" if it is the same, write it as there: {quoted(publisher)}",
            )


def not_higher(claims: Claims) -> Iterator[Finding]:
    """An older version brings back the holes that a newer one has closed."""
    for other in claims.installed:
        # The same version again is no risk beside the one that stays, but a duplicate.
        again = other.stays and claims.version == other.version
        if (
            other.name == claims.name
            and not again
            and is_higher(claims.version, other.version) is False
        ):
            yield Finding(
                ("version",),
                f"is not higher than {quoted(other.version)}, which is installed; raise it",
            )


def is_one_edit(one: str, other: str) -> bool:
    """True for equal texts, and where one character is added, left out, changed, or swapped
    with its neighbour.
    """
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    if one[1:] == other[1:] or one[1:] == other or one == other[1:]:
        return True
    return one[1::-1] == other[:2] and one[2:] == other[2:]


def _look(name: str) -> str:
    """What stays of a name for a reader in a hurry."""
    look = name
    for written, read in _READ_ALIKE:
        look = look.replace(written, read)
    return look.translate(_LOOK_ALIKE)


def _letters(publisher: str) -> str:
    """The publisher with Latin letters wherever others look like them."""
    plain = re.sub(r"\s+", " ", normalize("NFKC", publisher)).strip()
    return "".join(latin_twin(character) or character for character in plain).casefold()
