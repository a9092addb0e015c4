"""The contract's commonest rules in words, for what is refused before any server is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from symphony_client.errors import Violation

_ID_PATTERN: Final = re.compile(r"\^\(?([a-z|]+)\)?_\[0-7\]")

_BY_RULE: Final = {
    "required": "is needed",
    "string.min_len": "must not be empty",
    "string.min_bytes": "must not be empty",
    "repeated.min_items": "needs at least one",
    "repeated.unique": "names the same twice",
}


def in_words(violation: Violation) -> str:
    """What is wrong, and with which field, as a person would say it."""
    said = _BY_RULE.get(violation.rule, violation.description)
    if violation.rule == "string.pattern":
        said = _pattern_in_words(violation)
    return f"{violation.field}: {said}" if violation.field else said


def _pattern_in_words(violation: Violation) -> str:
    kinds = _ID_PATTERN.search(violation.description)
    if kinds:
        example = " or ".join(f"{kind}_…" for kind in kinds[1].split("|"))
        return f"takes an id: {example}, with 26 letters and digits"
    match violation.field.rpartition(".")[2]:
        case "name":
            return "must not be blank, nor have control characters"
        case "email":
            return "takes an address with one @, without spaces"
        case "permission":
            return "takes a permission such as workflows.update"
        case _:
            return violation.description
