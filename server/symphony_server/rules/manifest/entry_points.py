"""The entry point: a path inside the extension and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from symphony_server.rules.manifest.claims import Claims, Finding

_LOC: Final = ("entry_point",)
_URL: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://"
    r"|(?:data|file|https?|ftp|blob|javascript|vbscript|git|ssh|npm|github|oci|docker):"
    r"|[\w.-]+@[\w.-]+:",
    re.IGNORECASE,
)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_HOME: Final = re.compile(r"~|\$|%[A-Za-z_]+%")


def remote(claims: Claims) -> Iterator[Finding]:
    """What is started must be part of what was scanned and installed, not what a server sends."""
    if any(_URL.match(spelling.lstrip()) for spelling in _spellings(claims.entry_point)):
        yield Finding(_LOC, "is a URL; name a file of the extension instead")


def escapes(claims: Claims) -> Iterator[Finding]:
    """What is started must lie inside the extension."""
    for spelling in _spellings(claims.entry_point):
        if (way := way_out(spelling)) is not None:
            yield Finding(_LOC, f"{way}; name a file by its path inside the extension")
            return


def way_out(path: str) -> str | None:
    """How the path leaves the directory it starts from; None when it stays inside."""
    path = path.strip().replace("\\", "/")
    if path.startswith("//"):
        return "is a path on the network"
    if path.startswith("/"):
        return "is an absolute path"
    if _DRIVE.match(path):
        return "is a path on a drive"
    if _HOME.match(path):
        return "starts at a home directory or a variable"
    if any(segment.strip() == ".." for segment in path.split("/")):
        return 'climbs out with ".."'
    return None


def _spellings(path: str) -> Iterator[str]:
    """The path as written, and as it reads once percent signs and look-alike forms are undone."""
    yield path
    plain = normalize("NFKC", unquote(unquote(path)))
    if plain != path:
        yield plain
