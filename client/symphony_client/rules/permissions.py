"""What a user's system roles allow: advice for planning, never a decision.

The server decides. It also looks at what a user is to a resource (its owner, a member of its
project), at the tier, at the token's scopes, and at all of it as it is at that moment. Ask
`GetUserCapabilities` or `CheckAccess` where it matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import Final

from google.protobuf import descriptor_pool

from symphony.v1 import policy_pb2
from symphony.v1.user_pb2 import Role, User, UserState
from symphony_client.contract_methods import contract_methods

_BY_ANYONE: Final = frozenset(
    {
        *("access.whoami", "changes.watch", "transactions.execute"),
        *("projects.list", "workflows.list", "executions.list", "extensions.list"),
    }
)
"""Allowed to whoever may call at all; what they show or do depends on the rest."""

_FOR_ONESELF: Final = frozenset({"tokens.create", "tokens.list", "tokens.revoke"})
"""What even an AUDITOR does for itself only."""

_NEEDS_ROLE: Final[Mapping[str, frozenset[int]]] = {
    "users.create": frozenset({Role.ROLE_ADMIN}),
    "users.delete": frozenset({Role.ROLE_ADMIN}),
    "users.list": frozenset({Role.ROLE_ADMIN, Role.ROLE_AUDITOR}),
    "audit.read": frozenset({Role.ROLE_ADMIN, Role.ROLE_AUDITOR}),
    "projects.create": frozenset({Role.ROLE_ADMIN, Role.ROLE_DEVELOPER}),
    "workflows.create": frozenset({Role.ROLE_ADMIN, Role.ROLE_DEVELOPER}),
    "extensions.install": frozenset({Role.ROLE_ADMIN, Role.ROLE_DEVELOPER}),
    "extensions.update": frozenset({Role.ROLE_ADMIN, Role.ROLE_DEVELOPER}),
    "extensions.uninstall": frozenset({Role.ROLE_ADMIN, Role.ROLE_DEVELOPER}),
}
"""What is out of reach without one of these roles, whatever one owns or is a member of."""


@dataclass(frozen=True, slots=True, eq=False)
class UserPermissions(Set[str]):
    """The permissions that roles alone give, on any resource there is; a set of their names.

    >>> "projects.create" in calculate_user_permissions(developer)
    True
    """

    anywhere: frozenset[str]
    """The same as a frozenset."""
    where_related: frozenset[str]
    """Those that the user has besides, but only where it also owns the resource, is a member of its
    project in the role that is needed, or asks for itself: `workflows.create` of a DEVELOPER."""

    def __contains__(self, permission: object) -> bool:
        return permission in self.anywhere

    def __iter__(self) -> Iterator[str]:
        return iter(self.anywhere)

    def __len__(self) -> int:
        return len(self.anywhere)

    @classmethod
    def _from_iterable(cls, names: Iterable[str]) -> frozenset[str]:  # type: ignore[override] # what is left after `&` and the like is no user's
        return frozenset(names)


def calculate_user_permissions(user: User) -> UserPermissions:
    """Returns what the roles of `user` allow, by the names of the contract's policy options.

    A suspended user is allowed nothing. What a SERVICE does as another user is the other's.
    """
    if user.state == UserState.USER_STATE_SUSPENDED:
        return UserPermissions(frozenset(), frozenset())
    roles = frozenset(user.roles)
    anywhere, within_reach = set[str](), set[str]()
    for name, only_reads in _permissions().items():
        if _needs_no_relation(name, roles, only_reads=only_reads):
            anywhere.add(name)
        elif name not in _NEEDS_ROLE or roles & _NEEDS_ROLE[name]:
            within_reach.add(name)
    return UserPermissions(frozenset(anywhere), frozenset(within_reach))


def _needs_no_relation(name: str, roles: Set[int], *, only_reads: bool) -> bool:
    if name in _BY_ANYONE or Role.ROLE_ADMIN in roles:
        return True
    if name == "projects.create":
        return Role.ROLE_DEVELOPER in roles
    return Role.ROLE_AUDITOR in roles and only_reads and name not in _FOR_ONESELF


@cache
def _permissions() -> Mapping[str, bool]:
    """Returns every permission of the contract, with whether all its methods only read."""
    found: dict[str, bool] = {}
    pool = descriptor_pool.Default()
    for method in contract_methods().values():
        options = pool.FindMethodByName(f"{method.service}.{method.name}").GetOptions()
        policy = options.Extensions[policy_pb2.policy]
        if policy.permission:
            found[policy.permission] = found.get(policy.permission, True) and not method.writes
    return found
