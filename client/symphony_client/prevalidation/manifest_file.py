"""The file that a manifest lies in: read once, and refused where no request could be made of it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symphony.v1.extension_pb2 import MANIFEST_FORMAT_JSON, MANIFEST_FORMAT_TOML, ManifestFormat
from symphony_client.errors import PreValidationFailed, Violation
from symphony_client.prevalidation.manifest_text import MALFORMED, what_is_malformed

MAX_MANIFEST_BYTES: Final = 256 * 1024
"""The contract's `max_bytes` of a manifest."""

FIELD: Final = "manifest"
"""The field of `InstallExtensionRequest` that the file is for."""

_FORMATS: Final = {".json": MANIFEST_FORMAT_JSON, ".toml": MANIFEST_FORMAT_TOML}


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What an `InstallExtensionRequest` takes of a manifest's file.

    >>> file = read_manifest_file("extension/manifest.toml")
    >>> InstallExtensionRequest(manifest=file.text, manifest_format=file.manifest_format)
    """

    path: Path
    """Where it lies."""
    text: str
    """What is in it, without the mark that some editors put before UTF-8."""
    manifest_format: ManifestFormat.ValueType
    """What it is written in: as its suffix says, `.json` or `.toml`; with another suffix, JSON if
    the text begins with a brace and TOML if it does not."""


def read_manifest_file(path: str | os.PathLike[str]) -> ManifestFile:
    """Returns what is in the file, once it is known that the server could read it.

    Raises:
        PreValidationFailed: there is no such file, it is not a regular one, or may not be read
            (rules `file.exists`, `file.regular`, `file.readable`); it is not UTF-8, and so
            nothing that could be sent (`file.utf8`). Or the server would refuse it: it is empty
            (`string.min_bytes`), larger than 256 KiB (`string.max_bytes`), or neither JSON nor
            TOML (`MANIFEST_MALFORMED`). The field is always `manifest`.
    """
    where = Path(path)
    content = _content(where)
    if not content:
        raise _refused(where, "string.min_bytes", "is empty; write the manifest into it")
    if len(content) > MAX_MANIFEST_BYTES:
        raise _refused(
            where,
            "string.max_bytes",
            f"is larger than {MAX_MANIFEST_BYTES // 1024} KiB; shorten it",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(
            where, "file.utf8", f"is not UTF-8 from byte {error.start} on; save it as UTF-8"
        ) from None
    if not text:
        raise _refused(where, "string.min_bytes", "is empty; write the manifest into it")
    manifest_format = _format(where, text)
    problem = what_is_malformed(text, manifest_format)
    if problem:
        raise _refused(where, MALFORMED, f"cannot be read: {problem}")
    return ManifestFile(where, text, manifest_format)


def _content(path: Path) -> bytes:
    """Returns what is in the file, or one byte more than is allowed of what is too large."""
    try:
        # Before it is opened: opening a pipe waits for who writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _refused(path, "file.regular", "is not a file; name the manifest's file")
        with path.open("rb") as file:
            return file.read(MAX_MANIFEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _refused(path, "file.exists", "does not exist; name the manifest's file") from None
    except (OSError, ValueError) as error:
        # ValueError: a path with a zero byte in it.
        said = (getattr(error, "strerror", None) or str(error)).lower()
        raise _refused(path, "file.readable", f"cannot be read: {said}") from None


def _format(path: Path, text: str) -> ManifestFormat.ValueType:
    by_content = MANIFEST_FORMAT_JSON if text.lstrip()[:1] == "{" else MANIFEST_FORMAT_TOML
    return _FORMATS.get(path.suffix.lower(), by_content)


def _refused(path: Path, rule: str, problem: str) -> PreValidationFailed:
    # A name need not be text; what is said must be.
    name = os.fsencode(path).decode(errors="replace")
    return PreValidationFailed(
        [Violation(field=FIELD, rule=rule, description=f"the file {name} {problem}")]
    )
