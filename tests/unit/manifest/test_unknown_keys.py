from __future__ import annotations

import pytest

from symphony.v1.extension_pb2 import SCAN_SEVERITY_WARNING, SCAN_VERDICT_WARNED
from tests.unit.manifest.builders import findings, judged


def test_every_key_that_is_known_is_good() -> None:
    assert not findings(
        "unknown-key",
        description="x",
        homepage="https://example.com",
        permissions=[],
        dependencies={},
        hooks={},
    )


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("licence", "it is ignored"),
        ("entryPoint", "did you mean entry_point?"),
        ("Entry-Point", "did you mean entry_point?"),
        ("NAME", "did you mean name?"),
    ],
)
def test_another_key_is_worth_knowing(key: str, hint: str) -> None:
    [finding] = findings("unknown-key", **{key: 1})
    assert finding.path == key
    assert finding.severity == SCAN_SEVERITY_WARNING
    assert finding.message == f"is not a manifest's key; {hint}"


def test_it_keeps_no_extension_out() -> None:
    verdict = judged(licence="MIT")
    assert verdict.manifest is not None
    assert verdict.report.verdict == SCAN_VERDICT_WARNED
