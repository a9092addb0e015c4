"""Who is calling: the user whose credential it is and the user it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from symphony.v1.access_pb2 import CredentialKind, Token
from symphony.v1.user_pb2 import Role, Tier, User, UserState

ALL_SCOPES: Final = "*"


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, as far as permissions are concerned."""

    id: str
    roles: frozenset[int]
    tier: int
    suspended: bool

    @staticmethod
    def of(user: User) -> Subject:
        """The subject that a user is."""
        return Subject(
            id=user.id,
            roles=frozenset(user.roles),
            tier=user.tier,
            suspended=user.state == UserState.USER_STATE_SUSPENDED,
        )


NOBODY: Final = Subject(id="", roles=frozenset(), tier=Tier.TIER_FREE, suspended=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `user` decides what is allowed; `principal` is whose credential it is, and
    differs from `user` only when it acts for it.
    """

    user: Subject
    principal: Subject
    credential_kind: CredentialKind.ValueType = CredentialKind.CREDENTIAL_KIND_UNSPECIFIED
    token: Token | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the credential may be used for, as prefixes of permissions; `*` is all."""
        if self.token is None or not self.token.scopes:
            return (ALL_SCOPES,)
        return tuple(self.token.scopes)

    def scope_covers(self, permission: str) -> bool:
        """True when the credential may be used for a permission, or for a whole scope."""
        if self.token is None:
            return True
        return any(
            scope in (ALL_SCOPES, permission)
            or (scope.endswith(".") and permission.startswith(scope))
            for scope in self.scopes
        )


ANONYMOUS: Final = Caller(user=NOBODY, principal=NOBODY)

ACT_AS_ROLES: Final = frozenset({Role.ROLE_SERVICE, Role.ROLE_ADMIN})
"""The roles of which one is needed to act for another user."""
