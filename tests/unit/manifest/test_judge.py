from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symphony.v1.extension_pb2 import (
    EXTENSION_STATE_ENABLED,
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    MANIFEST_FORMAT_UNSPECIFIED,
    Extension,
    ExtensionType,
    ManifestFormat,
    ScanReport,
)
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.judge import JudgedManifest, judge_manifest, write_manifest
from tests.unit.manifest.builders import SOUND, judged, text

FORMATS = st.sampled_from([MANIFEST_FORMAT_JSON, MANIFEST_FORMAT_TOML, MANIFEST_FORMAT_UNSPECIFIED])
INSTALLED = (InstalledExtension("word-counts", "1.0.0", "\u0391cme"),)

# Characters, words and keys that have a meaning to some rule.
ANY_TEXT = st.text() | st.text(
    st.sampled_from("ab0-./\\~$%:;|&<>`'\"(){}[]=@*?,^ \n\t\0\u202e\u0430é\ud800\U0001d400")
)
WORDS = st.lists(
    st.sampled_from(
        [
            *("curl", "pip", "npm", "install", "git", "clone", "eval", "-c", "python", "bash"),
            *("sudo", "chmod", "u+s", "../x", "https://e.example/x", "--password", "hunter2"),
            *("AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"),
        ]
    )
).map(" ".join)
TEXTS = ANY_TEXT | WORDS
KEYS = TEXTS | st.sampled_from(
    [*SOUND, "homepage", "permissions", "dependencies", "hooks", "description", "password"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=10
)
DOCUMENTS = (
    st.dictionaries(KEYS, VALUES)
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys((*SOUND, "homepage", "description"), VALUES | TEXTS)
    )
    | st.fixed_dictionaries(
        {key: st.just(value) for key, value in SOUND.items() if key != "publisher"},
        optional={
            "permissions": st.lists(TEXTS),
            "dependencies": st.dictionaries(TEXTS, TEXTS),
            "hooks": st.dictionaries(TEXTS, TEXTS),
            "publisher": TEXTS,
        },
    )
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def holds_together(verdict: JudgedManifest) -> bool:
    """Whether there is either a manifest or a reason why not, in words that can be sent."""
    for violation in verdict.violations:
        assert violation.reason_name in {"MANIFEST_MALFORMED", "MANIFEST_INVALID", "SCAN_REJECTED"}
        assert violation.field.startswith("manifest")
        assert violation.description.isprintable()
        violation.description.encode()
        violation.field.encode("ascii")
    verdict.report.SerializeToString(deterministic=True)
    return (verdict.manifest is None) == bool(verdict.violations)


@given(TEXTS, FORMATS)
@QUICK
def test_any_text_is_judged_and_none_raises(
    manifest: str, manifest_format: ManifestFormat.ValueType
) -> None:
    assert holds_together(judge_manifest(manifest, manifest_format, INSTALLED))


@given(DOCUMENTS)
@QUICK
def test_any_document_is_judged_and_none_raises(document: dict[str, Any]) -> None:
    verdict = judge_manifest(json.dumps(document), MANIFEST_FORMAT_JSON, INSTALLED)
    assert holds_together(verdict)


@given(st.text(st.sampled_from("ab1.=[]{}\"',#-\n \\ué\u0000:T+_xen"), max_size=40))
@QUICK
def test_anything_like_toml_is_judged_and_none_raises(manifest: str) -> None:
    assert holds_together(judge_manifest(manifest, MANIFEST_FORMAT_TOML, ()))


@given(DOCUMENTS)
@QUICK
def test_the_same_manifest_gets_the_same_judgement(document: dict[str, Any]) -> None:
    manifest = json.dumps(document)
    first = judge_manifest(manifest, MANIFEST_FORMAT_JSON, INSTALLED)
    assert judge_manifest(manifest, MANIFEST_FORMAT_JSON, INSTALLED) == first


def test_a_manifest_that_cannot_be_read_is_malformed_and_nothing_else() -> None:
    verdict = judge_manifest("{", MANIFEST_FORMAT_JSON, ())
    assert [violation.reason_name for violation in verdict.violations] == ["MANIFEST_MALFORMED"]
    assert verdict.manifest is None
    assert verdict.report == ScanReport()


def test_all_that_is_wrong_comes_at_once_what_is_invalid_first() -> None:
    verdict = judged(name=None, version="one", entry_point="/bin/sh")
    assert [(v.reason_name, v.field) for v in verdict.violations] == [
        ("MANIFEST_INVALID", "manifest.name"),
        ("MANIFEST_INVALID", "manifest.version"),
        ("SCAN_REJECTED", "manifest.entry_point"),
    ]
    assert verdict.manifest is None


def test_what_is_only_invalid_is_not_called_rejected() -> None:
    verdict = judged(type="widget")
    assert [violation.reason_name for violation in verdict.violations] == ["MANIFEST_INVALID"]


def test_what_is_too_large_to_be_scanned_is_refused_all_the_same() -> None:
    many = {f"h{i}": "curl x" for i in range(100)}
    verdict = judged(hooks=many, entry_point="/" * 5000)
    assert [(v.reason_name, v.field) for v in verdict.violations] == [
        ("MANIFEST_INVALID", "manifest.entry_point"),
        ("MANIFEST_INVALID", "manifest.hooks"),
    ]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("instrument", ExtensionType.EXTENSION_TYPE_INSTRUMENT),
        ("operator", ExtensionType.EXTENSION_TYPE_OPERATOR),
        ("motif", ExtensionType.EXTENSION_TYPE_MOTIF),
    ],
)
def test_an_extension_gets_what_its_manifest_says_and_keeps_the_rest(
    written: str, kept: ExtensionType.ValueType
) -> None:
    manifest = text(type=written, permissions=["ui.render"], licence="MIT")
    verdict = judge_manifest(manifest, MANIFEST_FORMAT_UNSPECIFIED, ())
    assert verdict.manifest is not None
    extension = Extension(
        id="extension_1",
        project_id="project_1",
        installed_by="user_1",
        name="old",
        permissions=["env.read", "ui.notify"],
        state=EXTENSION_STATE_ENABLED,
        etag="e",
    )
    write_manifest(
        extension, verdict.manifest, verdict.report, manifest, MANIFEST_FORMAT_UNSPECIFIED
    )
    assert extension == Extension(
        id="extension_1",
        project_id="project_1",
        installed_by="user_1",
        name="word-count",
        version="1.0.0",
        type=kept,
        publisher="Nimbus Tools",
        permissions=["ui.render"],
        entry_point="dist/main.js",
        manifest=manifest,
        manifest_format=MANIFEST_FORMAT_JSON,
        scan=verdict.report,
        state=EXTENSION_STATE_ENABLED,
        etag="e",
    )


def test_the_format_is_kept() -> None:
    manifest = "\n".join(f'{key} = "{value}"' for key, value in SOUND.items())
    verdict = judge_manifest(manifest, MANIFEST_FORMAT_TOML, ())
    assert verdict.manifest is not None
    extension = Extension()
    write_manifest(extension, verdict.manifest, verdict.report, manifest, MANIFEST_FORMAT_TOML)
    assert extension.manifest_format == MANIFEST_FORMAT_TOML
