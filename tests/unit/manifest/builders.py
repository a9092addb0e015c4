"""Manifests for tests: a sound one, and what it takes to make it unsound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from symphony.v1.extension_pb2 import MANIFEST_FORMAT_JSON, ScanFinding
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.judge import JudgedManifest, judge_manifest

SOUND: dict[str, Any] = {
    "name": "word-count",
    "version": "1.0.0",
    "type": "operator",
    "publisher": "Nimbus Tools",
    "entry_point": "dist/main.js",
}


def text(**changes: object) -> str:
    """A sound manifest as JSON with those keys changed; None leaves a key out."""
    document = {**SOUND, **changes}
    return json.dumps({key: value for key, value in document.items() if value is not None})


def judged(installed: Sequence[InstalledExtension] = (), /, **changes: object) -> JudgedManifest:
    """What is said about a sound manifest with those keys changed."""
    return judge_manifest(text(**changes), MANIFEST_FORMAT_JSON, installed)


def findings(
    rule_id: str, installed: Sequence[InstalledExtension] = (), /, **changes: object
) -> list[ScanFinding]:
    """What one rule finds in a sound manifest with those keys changed."""
    report = judged(installed, **changes).report
    return [finding for finding in report.findings if finding.rule_id == rule_id]


def in_hook(rule_id: str, command: str) -> list[ScanFinding]:
    """What one rule finds in a hook."""
    return findings(rule_id, hooks={"install": command})
