"""Whether a manifest's text can be read at all; what it says is the server's to judge."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Final

from symphony.v1.extension_pb2 import MANIFEST_FORMAT_TOML, ManifestFormat

MALFORMED: Final = "MANIFEST_MALFORMED"
"""The rule, and on the server the reason, of a text that cannot be read."""

MAX_DOTS_IN_LINE: Final = 32
"""tomllib takes quadratic time for a key of many parts (python/cpython#149231): 7 s for 40 kB. The
server reads no deeper than so many levels."""

# What TOML 1.1 allows, which the server reads, and tomllib, which reads 1.0, may refuse: line
# breaks and a last comma between braces, the escapes \e and \x, times without seconds.
_TOML_1_1: Final = re.compile(r"[{]|\\[ex]|[0-9]{2}:[0-9]{2}(?!:[0-9])")

_TOO_DEEP: Final = "it is nested too deep; flatten it"


def what_is_malformed(text: str, manifest_format: ManifestFormat.ValueType) -> str | None:
    """Returns why the server cannot read the text, in plain words; None if it may well be able to.

    A format that is not set means JSON. Only what is sure to be refused is: the server has limits
    beside, and reads some TOML that is not looked at here.
    """
    try:
        return _toml(text) if manifest_format == MANIFEST_FORMAT_TOML else _json(text)
    except RecursionError:
        return _TOO_DEEP


def _json(text: str) -> str | None:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return f"it is not JSON: {said} at line {error.lineno}, column {error.colno}"
    except ValueError:  # int() refuses thousands of digits
        return "it has a number with thousands of digits; write a smaller one"
    if not isinstance(document, dict):
        return "it is JSON, but not an object; put its keys between { and }"
    return None


def _toml(text: str) -> str | None:
    if any(line.count(".") > MAX_DOTS_IN_LINE for line in text.split("\n")):
        return None
    try:
        tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        return None if _TOML_1_1.search(text) else f"it is not TOML: {said[:1].lower()}{said[1:]}"
    except ValueError:
        return "it has a number with thousands of digits; write a smaller one"
    return None
