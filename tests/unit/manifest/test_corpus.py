"""The corpus: what is malicious is refused by the rules in its file's name, what is benign is not.

`corpus/malicious/<rule>+<rule>--<what>.json` names the rules that have to find it; others may too.
Each manifest comes to a project in which the extensions of `corpus/installed.json` are.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    SCAN_SEVERITY_ERROR,
    SCAN_VERDICT_REJECTED,
)
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.judge import JudgedManifest, judge_manifest
from symphony_server.rules.manifest.scan import RULES

CORPUS = Path(__file__).parent / "corpus"
BENIGN = sorted((CORPUS / "benign").iterdir())
MALICIOUS = sorted((CORPUS / "malicious").iterdir())
INSTALLED = [
    InstalledExtension(**entry)
    for entry in json.loads((CORPUS / "installed.json").read_text(encoding="utf-8"))
]


def judged(path: Path) -> JudgedManifest:
    manifest_format = MANIFEST_FORMAT_TOML if path.suffix == ".toml" else MANIFEST_FORMAT_JSON
    return judge_manifest(path.read_text(encoding="utf-8"), manifest_format, INSTALLED)


def rules_named_by(path: Path) -> set[str]:
    return set(path.stem.partition("--")[0].split("+"))


@pytest.mark.parametrize("path", BENIGN, ids=lambda path: path.name)
def test_a_benign_manifest_may_be_installed(path: Path) -> None:
    verdict = judged(path)
    assert verdict.violations == ()
    assert verdict.manifest is not None


@pytest.mark.parametrize("path", MALICIOUS, ids=lambda path: path.name)
def test_a_malicious_manifest_is_refused_by_the_rules_that_its_name_says(path: Path) -> None:
    verdict = judged(path)
    assert verdict.manifest is None
    assert verdict.report.verdict == SCAN_VERDICT_REJECTED
    refused_by = {f.rule_id for f in verdict.report.findings if f.severity == SCAN_SEVERITY_ERROR}
    assert rules_named_by(path) <= refused_by
    assert verdict.violations[-1].reason_name == "SCAN_REJECTED"
    assert rules_named_by(path) <= set(verdict.violations[-1].metadata["rule_ids"].split(","))


def test_the_corpus_is_large_and_has_something_for_every_rule_that_refuses() -> None:
    assert len(BENIGN) >= 50
    assert len(MALICIOUS) >= 90
    refusing = {rule.rule_id for rule in RULES if rule.severity == SCAN_SEVERITY_ERROR}
    assert set().union(*map(rules_named_by, MALICIOUS)) == refusing
