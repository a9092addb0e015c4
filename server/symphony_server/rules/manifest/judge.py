"""The judgement of a manifest: read it, ask whether it is complete, scan it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_UNSPECIFIED,
    Extension,
    ManifestFormat,
    ScanReport,
)
from symphony_server.refusal import Violation
from symphony_server.rules.manifest.characters import latin_twin
from symphony_server.rules.manifest.claims import InstalledExtension, claims_of
from symphony_server.rules.manifest.detectors import detectors
from symphony_server.rules.manifest.model import TYPES, Manifest
from symphony_server.rules.manifest.reading import read_manifest
from symphony_server.rules.manifest.scan import rejections, scan
from symphony_server.rules.manifest.wrong_keys import validate


def prepare() -> None:
    """Load what the first judgement needs: a third of a second, and 20 MiB.

    A server calls it once, in a thread, before or soon after it serves; nothing fails without.
    """
    detectors()
    latin_twin("\u0430")


@dataclass(frozen=True, slots=True)
class JudgedManifest:
    """What there is to say about a manifest."""

    manifest: Manifest | None
    """The manifest, if it may be installed; None exactly when there are violations."""
    report: ScanReport
    """What the scan found; without a verdict where the manifest could not even be read."""
    violations: tuple[Violation, ...]
    """All that is wrong: MANIFEST_MALFORMED alone, or each MANIFEST_INVALID, then a SCAN_REJECTED
    for each finding."""


def judge_manifest(
    text: str, manifest_format: ManifestFormat.ValueType, installed: Sequence[InstalledExtension]
) -> JudgedManifest:
    """Everything that is wrong with the manifest at once, or the manifest as it may be installed.

    `installed` are the extensions of its project, in any state, and the one it is to replace too.
    Never raises, whatever the text; no message repeats a credential that is in it.
    """
    raw = read_manifest(text, manifest_format)
    if isinstance(raw, Violation):
        return JudgedManifest(None, ScanReport(), (raw,))
    claims = claims_of(raw, installed)
    report = scan(claims)
    manifest = validate(raw, claims.hidden)
    violations = (*(manifest if isinstance(manifest, tuple) else ()), *rejections(report))
    if isinstance(manifest, tuple) or violations:
        return JudgedManifest(None, report, violations)
    return JudgedManifest(manifest, report, ())


def write_manifest(
    extension: Extension,
    manifest: Manifest,
    report: ScanReport,
    text: str,
    manifest_format: ManifestFormat.ValueType,
) -> None:
    """Set the fields of the extension that come from its manifest, and no other."""
    extension.name = manifest.name
    extension.version = manifest.version
    extension.type = TYPES[manifest.type]
    extension.publisher = manifest.publisher
    extension.permissions[:] = manifest.permissions
    extension.entry_point = manifest.entry_point
    extension.manifest = text
    extension.manifest_format = (
        MANIFEST_FORMAT_JSON if manifest_format == MANIFEST_FORMAT_UNSPECIFIED else manifest_format
    )
    extension.scan.CopyFrom(report)
