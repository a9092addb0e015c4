from __future__ import annotations

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import (
    CreateUserRequest,
    DeleteUserRequest,
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    GetUserRequest,
    ListUsersRequest,
    UpdateUserRequest,
)
from symphony_server.ids import new_id
from tests.server.world import World


def test_a_new_user_is_free_viewer_and_active_unless_it_is_said(world: World) -> None:
    admin = world.admin
    made = admin.get(admin.users.CreateUser, CreateUserRequest(email="a@b.example", name="A"))

    assert made.id.startswith("user_")
    assert (made.tier, list(made.roles)) == (Tier.TIER_FREE, [Role.ROLE_VIEWER])
    assert made.state == UserState.USER_STATE_ACTIVE
    assert made.etag
    assert made == admin.get(admin.users.GetUser, GetUserRequest(id=made.id))


def test_addresses_are_compared_without_regard_to_case(world: World) -> None:
    admin = world.admin
    made = admin.get(admin.users.CreateUser, CreateUserRequest(email="Ann@B.example", name="A"))

    found = admin.get(admin.users.GetUserByEmail, GetUserByEmailRequest(email="ann@b.EXAMPLE"))
    refusal = admin.refused(
        admin.users.CreateUser, CreateUserRequest(email="ANN@b.example", name="B")
    )

    assert found == made
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EMAIL_TAKEN")


def test_a_chosen_id_is_used_once(world: World) -> None:
    admin = world.admin
    chosen = new_id("user")
    made = admin.get(
        admin.users.CreateUser, CreateUserRequest(user_id=chosen, email="a@b.example", name="A")
    )
    refusal = admin.refused(
        admin.users.CreateUser, CreateUserRequest(user_id=chosen, email="c@b.example", name="C")
    )
    assert made.id == chosen
    assert refusal.reason == "ID_TAKEN"


def test_only_admin_makes_and_lists_users_and_auditor_lists(world: World) -> None:
    developer, auditor = world.user(), world.user(Role.ROLE_AUDITOR)
    new = CreateUserRequest(email="x@y.example", name="X")

    for person in (developer, auditor):
        refusal = person.refused(person.users.CreateUser, new)
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_REQUIRED",
        )
        assert refusal.metadata["roles"] == "ADMIN"
    assert (
        developer.refused(developer.users.ListUsers, ListUsersRequest()).reason == "ROLE_REQUIRED"
    )
    listed = auditor.get(auditor.users.ListUsers, ListUsersRequest())
    assert {user.id for user in listed.users} >= {developer.id, auditor.id}


def test_another_user_looks_like_one_that_is_not_there(world: World) -> None:
    one, other = world.user(), world.user()
    absent = new_id("user")

    hidden = one.refused(one.users.GetUser, GetUserRequest(id=other.id))
    missing = one.refused(one.users.GetUser, GetUserRequest(id=absent))

    assert hidden.code == missing.code == grpc.StatusCode.NOT_FOUND
    assert hidden.message.replace(other.id, "ID") == missing.message.replace(absent, "ID")
    assert {*hidden.details} == {*missing.details}
    assert {*hidden.trailing} == {*missing.trailing}


def test_a_project_owner_finds_users_by_address_and_others_do_not(world: World) -> None:
    owner, other, sought = world.user(), world.user(), world.user()
    world.project(owner)
    request = GetUserByEmailRequest(email=sought.user.email)

    assert owner.get(owner.users.GetUserByEmail, request).id == sought.id
    assert other.refused(other.users.GetUserByEmail, request).code == grpc.StatusCode.NOT_FOUND


def test_a_user_changes_its_own_name_and_nothing_else(world: World) -> None:
    person = world.user()
    renamed = person.get(
        person.users.UpdateUser,
        UpdateUserRequest(
            user=User(id=person.id, name="New"), update_mask=FieldMask(paths=["name"])
        ),
    )
    refusal = person.refused(
        person.users.UpdateUser,
        UpdateUserRequest(
            user=User(id=person.id, tier=Tier.TIER_ENTERPRISE),
            update_mask=FieldMask(paths=["tier"]),
        ),
    )
    assert renamed.name == "New"
    assert renamed.email == person.user.email
    assert refusal.reason == "ROLE_REQUIRED"


def test_an_update_without_a_mask_changes_what_has_a_value(world: World) -> None:
    admin, person = world.admin, world.user(tier=Tier.TIER_FREE)
    changed = admin.get(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=person.id, tier=Tier.TIER_PRO, name="Both")),
    )
    assert (changed.name, changed.tier) == ("Both", Tier.TIER_PRO)
    assert changed.email == person.user.email
    assert changed.roles == person.user.roles


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nonsense", "not a field"),
        ("id", "cannot be changed"),
        ("create_time", "set by the server"),
        ("etag", "set by the server"),
        ("name.first", "not a field"),
    ],
)
def test_a_mask_that_names_what_cannot_be_changed_is_refused(
    world: World, path: str, says: str
) -> None:
    admin = world.admin
    refusal = admin.refused(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=admin.id, name="X"), update_mask=FieldMask(paths=[path])),
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "UPDATE_MASK_INVALID",
    )
    assert refusal.metadata["path"] == path
    assert says in refusal.message


def test_a_required_field_that_the_mask_names_must_have_a_value(world: World) -> None:
    admin = world.admin
    refusal = admin.refused(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=admin.id), update_mask=FieldMask(paths=["name", "tier"])),
    )
    assert refusal.reason == "FIELD_INVALID"
    assert refusal.fields == {"user.name": "required", "user.tier": "required"}


def test_a_stale_etag_stops_an_update_and_a_delete(world: World) -> None:
    admin, person = world.admin, world.user()
    old = person.user.etag
    update = UpdateUserRequest(user=User(id=person.id, name="New", etag=old))
    current = admin.get(admin.users.UpdateUser, update).etag

    again = admin.refused(admin.users.UpdateUser, update)
    delete = admin.refused(admin.users.DeleteUser, DeleteUserRequest(id=person.id, etag=old))

    assert again.code == delete.code == grpc.StatusCode.ABORTED
    assert again.reason == delete.reason == "ETAG_MISMATCH"
    assert again.metadata["etag"] == current != old


def test_a_suspended_user_is_refused_from_the_next_call_on(world: World) -> None:
    admin, person = world.admin, world.user()
    person.get(person.users.GetUser, GetUserRequest(id=person.id))
    admin.get(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=person.id, state=UserState.USER_STATE_SUSPENDED)),
    )
    refusal = person.refused(person.users.GetUser, GetUserRequest(id=person.id))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "USER_SUSPENDED",
    )


def test_a_changed_role_holds_from_the_next_call_on(world: World) -> None:
    admin, person = world.admin, world.user(Role.ROLE_VIEWER)
    assert person.refused(person.users.ListUsers, ListUsersRequest()).reason == "ROLE_REQUIRED"
    admin.get(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=person.id, roles=[Role.ROLE_AUDITOR])),
    )
    assert person.get(person.users.ListUsers, ListUsersRequest()).users


def test_a_user_who_owns_something_is_not_deleted(world: World) -> None:
    admin, owner, idle = world.admin, world.user(), world.user()
    world.project(owner)

    refusal = admin.refused(admin.users.DeleteUser, DeleteUserRequest(id=owner.id))
    admin.get(admin.users.DeleteUser, DeleteUserRequest(id=idle.id))

    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RESOURCE_IN_USE",
    )
    assert refusal.metadata["used_by"].split(",") == ["project memberships", "projects"]
    assert idle.refused(idle.users.GetUser, GetUserRequest(id=idle.id)).reason == (
        "CREDENTIALS_INVALID"
    )


def test_capabilities_tell_what_stands_in_the_way(world: World) -> None:
    viewer = world.user(Role.ROLE_VIEWER, tier=Tier.TIER_FREE)
    can = viewer.get(
        viewer.users.GetUserCapabilities, GetUserCapabilitiesRequest(user_id=viewer.id)
    )
    assert not can.can_create_workflows
    assert (can.max_workflows, can.workflows_used, can.max_workflow_steps) == (10, 0, 10)
    assert can.max_estimated_duration.seconds == 600
    assert {d.permission: d.reason for d in can.denials} == {
        "workflows.create": "ROLE_REQUIRED",
        "extensions.install": "ROLE_REQUIRED",
    }
