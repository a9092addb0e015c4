"""`symphony users` against a real server."""

from __future__ import annotations

from symphony.v1.user_pb2 import Role, Tier, UserState
from symphony.v1.user_service_pb2 import (
    GetUserByEmailRequest,
    GetUserCapabilitiesRequest,
    ListUsersRequest,
)
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World


def test_a_user_is_made_shown_changed_and_removed(world: World, terminal: Terminal) -> None:
    made = terminal.run(
        *("users", "create", "nora@example.com", "--name", "Nora", "--tier", "pro"),
        *("--role", "developer", "--role", "auditor", "-o", "json"),
    ).json
    asked = GetUserByEmailRequest(email="nora@example.com")
    kept = world.admin.get(world.admin.users.GetUserByEmail, asked)
    assert made == contract_json(kept)
    assert (kept.tier, kept.roles[:]) == (Tier.TIER_PRO, [Role.ROLE_DEVELOPER, Role.ROLE_AUDITOR])

    shown = terminal.run("users", "get", "nora@example.com")
    assert "Roles developer, auditor" in shown.text
    changed = terminal.run("users", "update", kept.id, "--state", "suspended", "--role", "viewer")
    assert changed.code == 0
    kept = world.admin.get(world.admin.users.GetUserByEmail, asked)
    assert (kept.state, kept.roles[:]) == (UserState.USER_STATE_SUSPENDED, [Role.ROLE_VIEWER])
    assert "SUSPENDED" in terminal.run("users", "list", "--state", "suspended").out
    assert terminal.run("users", "delete", "nora@example.com").text == f"removed {kept.id}"
    assert terminal.run("users", "get", kept.id).code == 3


def test_a_list_of_users_is_what_the_stub_returns_and_fits(
    world: World, terminal: Terminal
) -> None:
    for roles in ((), (Role.ROLE_VIEWER, Role.ROLE_AUDITOR, Role.ROLE_SERVICE)):
        world.user(*roles)
    answer = world.admin.get(world.admin.users.ListUsers, ListUsersRequest())
    listed = terminal.run("users", "list", "-o", "json").json
    assert listed == [contract_json(one) for one in answer.users]
    table = terminal.run("users", "list").out
    assert all(one.id in table for one in answer.users)
    assert max(map(len, table.splitlines())) <= COLUMNS


def test_capabilities_say_what_stands_in_the_way(world: World, terminal: Terminal) -> None:
    viewer = world.user(Role.ROLE_VIEWER, tier=Tier.TIER_FREE)
    mine = terminal.of(viewer).run("users", "capabilities")
    assert "workflows.create ROLE_REQUIRED" in mine.text
    assert max(map(len, mine.out.splitlines())) <= COLUMNS
    asked = GetUserCapabilitiesRequest(user_id=viewer.id)
    answer = viewer.get(viewer.users.GetUserCapabilities, asked)
    told = terminal.run("users", "capabilities", viewer.user.email, "-o", "json")
    assert told.json == contract_json(answer)


def test_an_update_of_nothing_says_what_can_be_given(terminal: Terminal) -> None:
    assert "--tier" in terminal.run("users", "update", "me").err
