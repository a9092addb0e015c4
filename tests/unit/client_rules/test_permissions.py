from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role, User, UserState
from symphony_client.rules import calculate_user_permissions
from symphony_server.access.caller import Subject
from symphony_server.access.permissions import NO_FACTS, PERMISSIONS, Facts
from symphony_server.rpc.methods import read_methods

ROLES = [role for role in Role.values() if role]
ROLE_SETS = list(chain.from_iterable(combinations(ROLES, n) for n in range(len(ROLES) + 1)))
IN_CONTRACT = {method.permission for method in read_methods().values()} - {""}
EVERYTHING = Facts(
    owner_id="user_1",
    relation=ProjectRole.PROJECT_ROLE_OWNER,
    shared=True,
    started_by="user_1",
    owns_any_project=True,
)


def server_allows(roles: Sequence[Role.ValueType], facts: Facts) -> set[str]:
    """What the server's own table allows a user who is that much to the resource."""
    subject = Subject(id="user_1", roles=frozenset(roles), tier=0, suspended=False)
    return {
        name
        for name in IN_CONTRACT
        for permission in [PERMISSIONS[name]]
        if all(
            any(rule.holds(subject, facts) for rule in requirement.any_of)
            for requirement in (*permission.requirements, permission.visible)
            if requirement is not None
        )
    }


def names(roles: Sequence[Role.ValueType]) -> str:
    return "+".join(map(Role.Name, roles)) or "none"


@pytest.mark.parametrize("roles", ROLE_SETS, ids=names)
def test_roles_alone_give_what_the_server_allows_on_a_stranger_s_resource(
    roles: Sequence[Role.ValueType],
) -> None:
    permissions = calculate_user_permissions(User(roles=roles))

    assert permissions.anywhere == server_allows(roles, NO_FACTS)


@pytest.mark.parametrize("roles", ROLE_SETS, ids=names)
def test_the_rest_is_what_the_server_allows_to_an_owner(roles: Sequence[Role.ValueType]) -> None:
    permissions = calculate_user_permissions(User(roles=roles))

    assert permissions.where_related == server_allows(roles, EVERYTHING) - permissions.anywhere


def test_a_developer_may_make_projects_anywhere_and_workflows_where_it_belongs() -> None:
    permissions = calculate_user_permissions(User(roles=[Role.ROLE_DEVELOPER]))

    assert "projects.create" in permissions
    assert "workflows.create" not in permissions
    assert "workflows.create" in permissions.where_related
    assert "users.create" not in permissions.where_related


def test_a_suspended_user_may_do_nothing() -> None:
    user = User(roles=[Role.ROLE_ADMIN], state=UserState.USER_STATE_SUSPENDED)

    permissions = calculate_user_permissions(user)

    assert not permissions
    assert not permissions.where_related


def test_permissions_are_a_set_of_names() -> None:
    permissions = calculate_user_permissions(User(roles=[Role.ROLE_ADMIN]))

    assert set(permissions) == IN_CONTRACT
    assert permissions == calculate_user_permissions(User(roles=Role.values()))
    assert permissions & {"audit.read", "nothing"} == frozenset({"audit.read"})
    assert len(permissions) == len(set(permissions)) == len(IN_CONTRACT)
