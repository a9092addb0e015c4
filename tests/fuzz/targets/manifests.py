"""An extension's manifest, JSON or TOML, read and scanned.

The first byte's lowest bit is the format, its next says whether extensions are installed. The
rest is the text; `@SECRET@` in it stands for a credential, which no message may repeat.
"""

from __future__ import annotations

from typing import Final

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    SCAN_VERDICT_REJECTED,
    Extension,
)
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.judge import judge_manifest, prepare, write_manifest
from symphony_server.rules.manifest.reading import MAX_MANIFEST_BYTES
from tests.e2e.wire import tells_insides

MAX_BYTES: Final = 4096
SECRET: Final = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fL6xR3"
_INSTALLED: Final = (
    InstalledExtension("word-count", "1.2.0", "Nimbus Tools"),
    InstalledExtension("csv-reader", "2.0.0", "Data Works", stays=True),
)
_REASONS: Final = {"MANIFEST_MALFORMED", "MANIFEST_INVALID", "SCAN_REJECTED"}


def try_one(data: bytes) -> None:
    """Judge what the bytes say; fails where anything but a judgement comes out."""
    options, text = data[:1], data[1:].decode(errors="surrogateescape")
    toml, installed = (options[0] & 1, options[0] & 2) if options else (0, 0)
    text = text.replace("@SECRET@", SECRET)
    manifest_format = MANIFEST_FORMAT_TOML if toml else MANIFEST_FORMAT_JSON
    judged = judge_manifest(text, manifest_format, _INSTALLED if installed else ())
    assert (judged.manifest is None) == bool(judged.violations)
    for violation in judged.violations:
        assert violation.reason_name in _REASONS
        said = f"{violation.field} {violation.description} {dict(violation.metadata)}"
        assert SECRET not in said
        assert not tells_insides(said), said
    if judged.manifest is not None:
        assert judged.report.verdict != SCAN_VERDICT_REJECTED
        assert len(text.encode()) <= MAX_MANIFEST_BYTES
        assert SECRET not in text
        made = Extension()
        write_manifest(made, judged.manifest, judged.report, text, manifest_format)
        assert Extension.FromString(made.SerializeToString()) == made


prepare()
