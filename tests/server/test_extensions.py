"""Who installs which extensions in a project, how many, and who finds them."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
import pytest

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest
from symphony.v1.extension_pb2 import Extension, ExtensionType
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    ListExtensionsRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role, Tier
from symphony_server.ids import new_id
from tests.server.extension_requests import DISABLED, change, install, manifest, names, new
from tests.server.world import World

COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER


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


def test_a_retried_install_has_one_effect(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    request = new(project, request_id="once")
    first = owner.get(owner.extensions.InstallExtension, request)
    assert owner.get(owner.extensions.InstallExtension, request) == first
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
