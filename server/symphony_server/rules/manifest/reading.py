"""Reading a manifest's text, within limits that keep any text whatever cheap to refuse."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, NoReturn

import rtoml

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.extension_pb2 import MANIFEST_FORMAT_TOML, ManifestFormat
from symphony_server.refusal import Violation
from symphony_server.rules.manifest.document import RawManifest

MAX_MANIFEST_BYTES: Final = 256 * 1024
"""The contract's `max_bytes` of a manifest."""
MAX_DEPTH: Final = 32
"""So many objects and lists may lie in each other, the outermost one counted."""
MAX_VALUES: Final = 2000
"""So many values may there be at all: each value of a key and each item of a list."""
MAX_KEY_CHARACTERS: Final = 128
MAX_INTEGER: Final = 2**63 - 1
"""TOML's, and what other readers of JSON keep exactly or refuse."""

_SHOWABLE_KEY: Final = re.compile(r"[a-z_]{1,32}")
_JSON_TEXT: Final = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TOO_DEEP: Final = f"it is nested more than {MAX_DEPTH} levels deep; flatten it"
_TOO_MANY: Final = f"it has more than {MAX_VALUES} values; leave some out"


class _Unreadable(Exception):
    """Says what is wrong with the text."""


def read_manifest(text: str, manifest_format: ManifestFormat.ValueType) -> RawManifest | Violation:
    """The manifest, or the one thing that keeps it from being read: MANIFEST_MALFORMED.

    A format that is not set means JSON. Nothing of the text is repeated but short plain keys, so
    that no credential gets into a message.
    """
    try:
        if len(text) > MAX_MANIFEST_BYTES or _utf8_size(text) > MAX_MANIFEST_BYTES:
            raise _Unreadable(f"it is larger than {MAX_MANIFEST_BYTES // 1024} KiB; shorten it")
        _check_text(text)
        document = _toml(text) if manifest_format == MANIFEST_FORMAT_TOML else _json(text)
        _check(document)
    except _Unreadable as problem:
        return Violation(
            ErrorReason.ERROR_REASON_MANIFEST_MALFORMED,
            f"the manifest cannot be read: {problem}",
            field="manifest",
        )
    return RawManifest(document)


def _utf8_size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _json(text: str) -> dict[str, Any]:
    _check_count(text)
    try:
        document = json.loads(
            text, object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise _Unreadable(
            f"it is not JSON: {said} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise _Unreadable(_TOO_DEEP) from None
    except ValueError:  # int() refuses thousands of digits: CVE-2020-10735
        raise _Unreadable("it has a number with thousands of digits; write a smaller one") from None
    if not isinstance(document, dict):
        raise _Unreadable("it is JSON, but not an object; put its keys between { and }")
    return document


def _toml(text: str) -> dict[str, Any]:
    """Read by rtoml: tomllib is quadratic in a key's parts (python/cpython#149231, #152930)."""
    try:
        document: dict[str, Any] = rtoml.loads(text)
    except rtoml.TomlParsingError as error:
        said = str(error)
        if "recurs" in said:
            raise _Unreadable(_TOO_DEEP) from None
        raise _Unreadable(
            f"it is not TOML: {said.removeprefix('ValueError: ').replace(' column', ', column')}"
        ) from None
    return document


def _check_count(text: str) -> None:
    """Refuse by its brackets and commas what would take long to parse, only to be refused."""
    marks = _JSON_TEXT.sub("", text)
    if marks.count("[") + marks.count("{") - 1 > MAX_VALUES or marks.count(",") > MAX_VALUES:
        raise _Unreadable(_TOO_MANY)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
    shown = f", {key}," if _SHOWABLE_KEY.fullmatch(key) else ""
    raise _Unreadable(f"a key{shown} is there twice in one object; keep one of them")


def _refuse_constant(name: str) -> NoReturn:
    raise _Unreadable(f"{name} is not a number in JSON; write a finite one")


def _check(document: Mapping[str, Any]) -> None:
    """Walk the values, no further than the limits, and refuse what breaks one of them."""
    values, depth = 0, 1
    level: list[Any] = [document]
    while level:
        if depth > MAX_DEPTH:
            raise _Unreadable(_TOO_DEEP)
        inner: list[Any] = []
        for container in level:
            values += len(container)
            if values > MAX_VALUES:
                raise _Unreadable(_TOO_MANY)
            if isinstance(container, dict):
                _check_keys(container)
                container = container.values()
            for value in container:
                if isinstance(value, (dict, list)):
                    inner.append(value)
                else:
                    _check_scalar(value)
        level, depth = inner, depth + 1


def _check_keys(keys: Mapping[str, Any]) -> None:
    for key in keys:
        if len(key) > MAX_KEY_CHARACTERS:
            raise _Unreadable(f"a key is longer than {MAX_KEY_CHARACTERS} characters; shorten it")
        _check_text(key)


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
            raise _Unreadable("a whole number is beyond 64 bits; write it as text")
    elif isinstance(value, float) and not isfinite(value):
        raise _Unreadable("a number is infinite or not a number; write a finite one")


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise _Unreadable(
            "it has half of a surrogate pair, \\ud800 to \\udfff alone, which is no character"
        )
