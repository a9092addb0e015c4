"""Characters that make a name look like another one, or like nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from unicodedata import category, name

from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.document import Text

_ASIAN: Final = frozenset({"HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
"""Scripts that are written in one word with each other and with Latin (UTS 39, section 5.2)."""
PUBLISHER: Final = ("publisher",)
_ANY_SCRIPT: Final = frozenset({"COMMON", "INHERITED"})
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters without a shape that Unicode counts among letters, marks or symbols."""


def invisible(claims: Claims) -> Iterator[Finding]:
    """Direction controls, zero-width and filler characters: what is read is not what is there."""
    for text in (*_names(claims), *_other_texts(claims)):
        if text.text.isascii():
            continue
        for character in text.text:
            if category(character) == "Cf" or character in _FILLERS:
                yield Finding(text.loc, f"has the invisible {_named(character)}; remove it")
                break


def homoglyphs(claims: Claims) -> Iterator[Finding]:
    """Letters of other scripts that pass for Latin ones within one word."""
    for text in _names(claims):
        if (character := _impostor(text)) is not None:
            yield Finding(
                text.loc,
                f"has {_named(character)}, which looks like a Latin letter;"
                " write each word in one script",
            )


def _names(claims: Claims) -> Iterator[Text]:
    yield Text(("name",), claims.name)
    yield Text(PUBLISHER, claims.publisher)
    for dependency in claims.dependencies:
        yield Text(dependency.loc, str(dependency.loc[-1]))


def _other_texts(claims: Claims) -> Iterator[Text]:
    yield from claims.permissions
    yield from claims.dependencies
    for key in ("version", "type", "homepage"):
        if isinstance(value := claims.document.get(key), str):
            yield Text((key,), value)
    for command in claims.commands:
        yield Text(command.loc, command.text)
        yield Text(command.loc, str(command.loc[-1]))


def _impostor(text: Text) -> str | None:
    """The first letter that is easily taken for a Latin one, where it does not belong.

    In a publisher it belongs among letters of its own script; other names are Latin throughout.
    """
    if text.text.isascii():
        return None
    # Imported here, for it reads a megabyte of tables that few manifests need.
    from confusable_homoglyphs.categories import alias

    for word in _words(text.text):
        scripts = {alias(character) for character in word} - _ANY_SCRIPT
        mixed = len({"LATIN" if script in _ASIAN else script for script in scripts}) > 1
        for character in word:
            alone = mixed or alias(character) in _ANY_SCRIPT or text.loc != PUBLISHER
            if alone and latin_twin(character):
                return character
    return None


def latin_twin(character: str) -> str:
    """The ASCII letter, or letters, that a character of no Latin script looks like; or nothing."""
    if character.isascii():
        return ""
    from confusable_homoglyphs.confusables import is_confusable

    for found in is_confusable(character, preferred_aliases=["latin"]) or ():
        for twin in found["homoglyphs"]:
            if twin["c"].isascii() and twin["c"].isalpha():
                return str(twin["c"])
    return ""


def _words(text: str) -> list[str]:
    """Letters, marks and digits that stand together."""
    return "".join(c if category(c)[0] in "LMN" else " " for c in text).split()


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {name(character, 'UNNAMED')}"
