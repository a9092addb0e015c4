"""Versions as semver.org 2.0.0 has them, and the ranges in which dependencies name them."""

from __future__ import annotations

import re
from typing import Final

from semver import Version

_NUMBER: Final = r"(?:0|[1-9][0-9]{0,8}|[xX*])"
_TAGS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_TERM: Final = re.compile(
    rf"(?:\^|~|~=|>=|<=|>|<|==?|!=)?v?{_NUMBER}"
    rf"(?:\.{_NUMBER}(?:\.{_NUMBER}(?:-{_TAGS})?(?:\+{_TAGS})?)?)?"
)
_SPACE_AFTER_OPERATOR: Final = re.compile(r"(?<=[<>=^~])\s+")
_BETWEEN_TERMS: Final = re.compile(r"\s+-\s+|\s*,\s*|\s+")


def is_version(text: str) -> bool:
    """True for a semantic version such as `1.4.0` or `2.0.0-rc.1+build.5`."""
    return text.isascii() and Version.is_valid(text)


def is_higher(version: str, than: str) -> bool | None:
    """Whether one version comes after the other; None when either is no semantic version.

    Build metadata does not count: 1.0.0+b does not come after 1.0.0+a.
    """
    if not is_version(version) or not is_version(than):
        return None
    return Version.parse(version) > Version.parse(than)


def is_version_range(text: str) -> bool:
    """True for what package managers take: `^1.2`, `>=1.0, <2`, `1.x || 2.x`, `1.0 - 1.4`, `*`.

    Which versions it holds is not asked here; a URL, a path or a tag is no range.
    """
    for alternative in text.split("||"):
        terms = _BETWEEN_TERMS.split(_SPACE_AFTER_OPERATOR.sub("", alternative.strip()))
        if not all(map(_TERM.fullmatch, terms)):
            return False
    return True
