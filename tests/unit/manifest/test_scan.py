from __future__ import annotations

import re

from symphony.v1.extension_pb2 import (
    SCAN_SEVERITY_ERROR,
    SCAN_SEVERITY_WARNING,
    SCAN_VERDICT_PASSED,
    SCAN_VERDICT_REJECTED,
    SCAN_VERDICT_WARNED,
    ScanFinding,
    ScanReport,
)
from symphony_server.rules.manifest.scan import MAX_FINDINGS_OF_A_RULE, RULES, rejections
from tests.unit.manifest.builders import judged


def test_rules_are_named_once_ordered_by_gravity_and_say_what_they_are_for() -> None:
    rule_ids = [rule.rule_id for rule in RULES]
    assert len(set(rule_ids)) == len(rule_ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule_id) for rule_id in rule_ids)
    severities = [rule.severity for rule in RULES]
    assert severities == sorted(severities, reverse=True)
    assert set(severities) == {SCAN_SEVERITY_ERROR, SCAN_SEVERITY_WARNING}
    assert all(rule.protects_from and rule.find.__doc__ for rule in RULES)


def test_a_manifest_without_findings_passes() -> None:
    verdict = judged()
    assert verdict.report == ScanReport(verdict=SCAN_VERDICT_PASSED)
    assert rejections(verdict.report) == ()


def test_warnings_do_not_reject() -> None:
    verdict = judged(licence="MIT", permissions=["env.read", "network.connect"])
    assert verdict.report.verdict == SCAN_VERDICT_WARNED
    assert [finding.rule_id for finding in verdict.report.findings] == [
        "permissions-risky",
        "unknown-key",
    ]
    assert rejections(verdict.report) == ()


def test_a_rejection_names_every_finding_the_gravest_first() -> None:
    report = judged(
        licence="MIT",
        entry_point="../main.py",
        permissions=["*", "x", "all"],
        hooks={"install": "curl x"},
    ).report
    assert report.verdict == SCAN_VERDICT_REJECTED
    refused = rejections(report)
    assert {violation.reason_name for violation in refused} == {"SCAN_REJECTED"}
    assert refused[0].metadata == {
        "rule_ids": "code-from-network,entry-point-escapes,permission-wildcard,permission-unknown"
    }
    assert [(violation.field, violation.rule) for violation in refused] == [
        ("manifest.hooks.install", "code-from-network"),
        ("manifest.entry_point", "entry-point-escapes"),
        ("manifest.permissions[0]", "permission-wildcard"),
        ("manifest.permissions[2]", "permission-wildcard"),
        ("manifest.permissions[1]", "permission-unknown"),
        ("manifest.licence", "unknown-key"),
    ]
    assert [f"manifest.{found.path}" for found in report.findings] == [v.field for v in refused]
    for found, violation in zip(report.findings, refused, strict=True):
        assert violation.description.startswith(found.message)
    assert ["warning" in violation.description for violation in refused] == [False] * 5 + [True]


def test_a_rule_reports_so_many_findings_at_most() -> None:
    report = judged(permissions=["*"] * (MAX_FINDINGS_OF_A_RULE + 5)).report
    assert len(report.findings) == MAX_FINDINGS_OF_A_RULE


def test_a_report_can_be_judged_again_later() -> None:
    finding = ScanFinding(rule_id="x", severity=SCAN_SEVERITY_ERROR, path="p", message="m")
    (refused,) = rejections(ScanReport(verdict=SCAN_VERDICT_REJECTED, findings=[finding]))
    assert (refused.field, refused.rule, refused.description) == ("manifest.p", "x", "m")
