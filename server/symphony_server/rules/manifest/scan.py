"""The security scan: the table of its rules, and the report that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.extension_pb2 import ScanFinding, ScanReport, ScanSeverity, ScanVerdict
from symphony_server.refusal import Violation
from symphony_server.rules.manifest import (
    characters,
    credentials,
    entry_points,
    installed,
    network_code,
    permissions,
    shell,
    unknown_keys,
)
from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.document import place

MAX_FINDINGS_OF_A_RULE: Final = 20
"""More of one rule are not reported; whoever has mended these sees the others."""

_ERROR: Final = ScanSeverity.SCAN_SEVERITY_ERROR
_WARNING: Final = ScanSeverity.SCAN_SEVERITY_WARNING


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for; why is the first line of `find`'s docstring."""

    rule_id: str
    severity: ScanSeverity.ValueType
    protects_from: str
    find: Callable[[Claims], Iterator[Finding]]


RULES: Final = (
    Rule("embedded-credential", _ERROR, "leaked passwords and keys", credentials.embedded),
    Rule("code-from-network", _ERROR, "code nobody has seen", network_code.code_from_network),
    Rule("entry-point-remote", _ERROR, "code nobody has seen", entry_points.remote),
    Rule("entry-point-escapes", _ERROR, "starting the system's programs", entry_points.escapes),
    Rule("hook-evaluates-code", _ERROR, "code hidden in text", shell.evaluates_code),
    Rule("hook-shell-syntax", _ERROR, "commands behind commands", shell.shell_syntax),
    Rule("hook-gains-privileges", _ERROR, "taking over the machine", shell.gains_privileges),
    Rule("hook-leaves-extension", _ERROR, "touching others' files", shell.leaves_extension),
    Rule("permission-wildcard", _ERROR, "rights nobody thought of", permissions.wildcard),
    Rule("permission-unknown", _ERROR, "rights that do not exist yet", permissions.unknown),
    Rule("permissions-dangerous", _ERROR, "back doors", permissions.dangerous_together),
    Rule("name-imitates-installed", _ERROR, "typosquatting", installed.imitates_name),
    Rule("publisher-imitates-installed", _ERROR, "impersonation", installed.imitates_publisher),
    Rule("invisible-character", _ERROR, "text that reads otherwise", characters.invisible),
    Rule("homoglyph", _ERROR, "names that read like others", characters.homoglyphs),
    Rule("version-not-higher", _ERROR, "bringing old holes back", installed.not_higher),
    Rule("permissions-risky", _WARNING, "data sent away", permissions.risky_together),
    Rule("hook-installs-packages", _WARNING, "unpinned packages", network_code.package_installs),
    Rule("unknown-key", _WARNING, "misspelt keys", unknown_keys.unknown_keys),
)
"""Every rule, the gravest first: in this order findings are reported."""


def scan(claims: Claims) -> ScanReport:
    """What the rules find, the gravest first; the same for the same claims, always."""
    findings = [
        ScanFinding(
            rule_id=rule.rule_id,
            severity=rule.severity,
            path=place(finding.loc, claims.hidden),
            message=finding.message,
        )
        for rule in RULES
        for finding in islice(rule.find(claims), MAX_FINDINGS_OF_A_RULE)
    ]
    if not findings:
        verdict = ScanVerdict.SCAN_VERDICT_PASSED
    elif findings[0].severity == _ERROR:
        verdict = ScanVerdict.SCAN_VERDICT_REJECTED
    else:
        verdict = ScanVerdict.SCAN_VERDICT_WARNED
    return ScanReport(verdict=verdict, findings=findings)


def rejections(report: ScanReport) -> tuple[Violation, ...]:
    """SCAN_REJECTED for every finding, warnings among them, if one is an ERROR; otherwise none.

    The metadata's `rule_ids` names the rules that found an ERROR.
    """
    if report.verdict != ScanVerdict.SCAN_VERDICT_REJECTED:
        return ()
    findings = report.findings[:]
    rule_ids = dict.fromkeys(found.rule_id for found in findings if found.severity == _ERROR)
    metadata = {"rule_ids": ",".join(rule_ids)}
    return tuple(
        Violation(
            ErrorReason.ERROR_REASON_SCAN_REJECTED,
            f"{found.message}{'' if found.severity == _ERROR else ' (a warning)'}",
            field=f"manifest.{found.path}" if found.path else "manifest",
            rule=found.rule_id,
            subject="manifest",
            metadata=metadata,
        )
        for found in findings
    )
