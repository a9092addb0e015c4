"""From a document to a `Manifest`, or to everything that is missing or wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Violation
from symphony_server.rules.manifest.document import Loc, RawManifest, place
from symphony_server.rules.manifest.model import TYPES, WRONG_TEXT, Manifest

MAX_VIOLATIONS: Final = 100
"""More are not made; the answer names the first few and counts the others."""

_KEY: Final = "[key]"
"""What pydantic ends the place with when it is the key of an object that is wrong."""

_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    WRONG_TEXT: lambda _: "",
    "missing": lambda _: "is missing; every manifest has to have it",
    "string_type": lambda _: "must be text, in quotes",
    "literal_error": lambda _: f"must be one of {', '.join(TYPES)}",
    "tuple_type": lambda _: "must be a list, in square brackets",
    "dict_type": lambda _: "must be an object: names with a text each",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda of: f"must have at most {of['max_length']} characters",
    "too_long": lambda of: f"must have at most {of['max_length']} entries",
}
"""pydantic's type of error → what to change. The value is never repeated: it may be a secret."""


def validate(
    raw: RawManifest, hidden: AbstractSet[str] = frozenset()
) -> Manifest | tuple[Violation, ...]:
    """The manifest, or what is missing or wrong in it: MANIFEST_INVALID, the keys in order.

    `hidden` keys are not named.
    """
    try:
        return Manifest.model_validate(raw.document)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=True, include_input=False)
        return tuple(_violation(error, hidden) for error in islice(errors, MAX_VIOLATIONS))


def _violation(error: ErrorDetails, hidden: AbstractSet[str]) -> Violation:
    said = _WORDS[error["type"]](error.get("ctx", {})) or error["msg"]
    loc: Loc = error["loc"]
    if len(loc) > 2 and loc[-1] == _KEY:
        loc, said = loc[:-1], f"as a name {said}"
    return Violation(
        ErrorReason.ERROR_REASON_MANIFEST_INVALID,
        said,
        field=place(("manifest", *loc), hidden),
    )
