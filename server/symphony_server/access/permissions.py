"""The permission table: what a user must be, or be to a resource, to do something.

This is access.md's table as data. A permission has requirements, all of which must hold;
a requirement holds when any of its rules does. A permission on an existing resource names
the permission that reads it: who lacks that one is told that there is no such resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role
from symphony_server.access.caller import Subject


class Facts(NamedTuple):
    """What is known of the resource that a permission is asked for."""

    owner_id: str = ""
    """Who owns the resource; of a user or a token, the user."""
    relation: int = ProjectRole.PROJECT_ROLE_UNSPECIFIED
    """The asking user's relation to the project concerned."""
    shared: bool = False
    """Whether the workflow is shared."""
    started_by: str = ""
    """Who started the execution."""
    owns_any_project: bool = False
    """Whether the asking user is OWNER of at least one project."""


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that may be true of a user and a resource."""

    name: str
    holds: Callable[[Subject, Facts], bool]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold: any of the rules. Otherwise the request is refused for the reason."""

    any_of: tuple[Rule, ...]
    reason: ErrorReason.ValueType
    remedy: str
    """What would have to change, in plain words."""
    metadata: Mapping[str, str]
    name: str
    """The rules' names, as they are recorded."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a permission needs."""

    requirements: tuple[Requirement, ...]
    visible: Requirement | None = None
    """What reading the resource needs; None where no resource is addressed."""


def _role(role: Role.ValueType) -> Rule:
    return Rule(f"role={_short(Role.Name(role))}", lambda subject, _: role in subject.roles)


def _relation(role: ProjectRole.ValueType) -> Rule:
    # The roles are numbered so that each includes those below it.
    return Rule(
        f"project>={ProjectRole.Name(role).removeprefix('PROJECT_ROLE_')}",
        lambda _, facts: facts.relation >= role,
    )


def _short(name: str) -> str:
    return name.removeprefix("ROLE_")


ADMIN = _role(Role.ROLE_ADMIN)
AUDITOR = _role(Role.ROLE_AUDITOR)
DEVELOPER = _role(Role.ROLE_DEVELOPER)
ANY_RELATION = _relation(ProjectRole.PROJECT_ROLE_VIEWER)
COLLABORATOR = _relation(ProjectRole.PROJECT_ROLE_COLLABORATOR)
PROJECT_OWNER = _relation(ProjectRole.PROJECT_ROLE_OWNER)
OWNER = Rule("owner", lambda subject, facts: facts.owner_id == subject.id)
SELF = Rule("self", lambda subject, facts: facts.owner_id == subject.id)
STARTER = Rule("starter", lambda subject, facts: facts.started_by == subject.id)
SHARED_WITH_COLLABORATOR = Rule(
    "shared&project>=COLLABORATOR",
    lambda _, facts: facts.shared and facts.relation >= ProjectRole.PROJECT_ROLE_COLLABORATOR,
)
SHARED_WITH_MEMBER = Rule(
    "shared&project>=VIEWER",
    lambda _, facts: facts.shared and facts.relation >= ProjectRole.PROJECT_ROLE_VIEWER,
)
OWNS_ANY_PROJECT = Rule("owns any project", lambda _, facts: facts.owns_any_project)

_NOT_FOUND = ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND


def _require(
    reason: ErrorReason.ValueType,
    remedy: str,
    *any_of: Rule,
    metadata: Mapping[str, str] | None = None,
) -> Requirement:
    return Requirement(
        any_of, reason, remedy, metadata or {}, " or ".join(rule.name for rule in any_of)
    )


def _roles(*roles: Rule) -> Requirement:
    names = [rule.name.removeprefix("role=") for rule in roles]
    return _require(
        ErrorReason.ERROR_REASON_ROLE_REQUIRED,
        f"this needs the role {' or '.join(names)}; ask an ADMIN for it",
        *roles,
        metadata={"roles": ",".join(names)},
    )


def _role_or_self(*roles: Rule) -> Requirement:
    names = [rule.name.removeprefix("role=") for rule in roles]
    return _require(
        ErrorReason.ERROR_REASON_ROLE_REQUIRED,
        f"you may do this for yourself only; for others it needs the role {' or '.join(names)}",
        SELF,
        *roles,
        metadata={"roles": ",".join(names)},
    )


_PROJECT_OWNER = _require(
    ErrorReason.ERROR_REASON_OWNER_REQUIRED,
    "only an OWNER of the project may do this; ask one, or ask to be made one",
    PROJECT_OWNER,
    ADMIN,
)
_COLLABORATOR = _require(
    ErrorReason.ERROR_REASON_PROJECT_ACCESS_REQUIRED,
    "you need to be COLLABORATOR or OWNER of the project, if it exists; ask one of its owners",
    COLLABORATOR,
    ADMIN,
    metadata={"project_roles": "COLLABORATOR,OWNER"},
)
_WORKFLOW_OWNER = _require(
    ErrorReason.ERROR_REASON_OWNER_REQUIRED,
    "only the workflow's owner or an OWNER of its project may do this; ask one of them",
    OWNER,
    PROJECT_OWNER,
    ADMIN,
)

_EXECUTION_STARTER = _require(
    ErrorReason.ERROR_REASON_RESOURCE_ACCESS_REQUIRED,
    "only the workflow's owner, and a COLLABORATOR or OWNER of its project once it is shared, "
    "may run it; ask the owner to share it",
    OWNER,
    SHARED_WITH_COLLABORATOR,
    ADMIN,
)
_EXECUTION_OWNER = _require(
    ErrorReason.ERROR_REASON_OWNER_REQUIRED,
    "only who started the execution, or owns the workflow, may do this; ask one of them",
    STARTER,
    OWNER,
    ADMIN,
)

_USER_READABLE = _require(_NOT_FOUND, "be that user, ADMIN or AUDITOR", SELF, ADMIN, AUDITOR)
_USER_FINDABLE = _require(
    _NOT_FOUND,
    "be that user, ADMIN, AUDITOR or an OWNER of any project",
    SELF,
    ADMIN,
    AUDITOR,
    OWNS_ANY_PROJECT,
)
_PROJECT_READABLE = _require(
    _NOT_FOUND, "be a member of the project, ADMIN or AUDITOR", ANY_RELATION, ADMIN, AUDITOR
)
_WORKFLOW_READABLE = _require(
    _NOT_FOUND,
    "own the workflow or its project, be a member of its project and have it shared, "
    "or be ADMIN or AUDITOR",
    OWNER,
    PROJECT_OWNER,
    SHARED_WITH_MEMBER,
    ADMIN,
    AUDITOR,
)
_DECISION_READABLE = _require(
    _NOT_FOUND, "be who the decision was about, ADMIN or AUDITOR", SELF, ADMIN, AUDITOR
)
_TOKEN_READABLE = _require(_NOT_FOUND, "be the token's user or ADMIN", SELF, ADMIN)

ANYONE: Final = Permission(())

PERMISSIONS: Final[Mapping[str, Permission]] = {
    "users.create": Permission((_roles(ADMIN),)),
    "users.list": Permission((_roles(ADMIN, AUDITOR),)),
    "users.read": Permission((), _USER_READABLE),
    "users.find": Permission((), _USER_FINDABLE),
    "users.update": Permission((_role_or_self(ADMIN),), _USER_READABLE),
    "users.administer": Permission((_roles(ADMIN),), _USER_READABLE),
    "users.delete": Permission((_roles(ADMIN),), _USER_READABLE),
    "projects.create": Permission((_roles(DEVELOPER, ADMIN),)),
    "projects.read": Permission((), _PROJECT_READABLE),
    "projects.update": Permission((_PROJECT_OWNER,), _PROJECT_READABLE),
    "projects.delete": Permission((_PROJECT_OWNER,), _PROJECT_READABLE),
    "projects.manage_members": Permission((_PROJECT_OWNER,), _PROJECT_READABLE),
    "projects.list": ANYONE,
    "workflows.create": Permission((_roles(DEVELOPER, ADMIN), _COLLABORATOR)),
    "workflows.read": Permission((), _WORKFLOW_READABLE),
    "workflows.update": Permission((_WORKFLOW_OWNER,), _WORKFLOW_READABLE),
    "workflows.delete": Permission((_WORKFLOW_OWNER,), _WORKFLOW_READABLE),
    "workflows.list": ANYONE,
    "executions.start": Permission((_EXECUTION_STARTER,), _WORKFLOW_READABLE),
    "executions.read": Permission((), _WORKFLOW_READABLE),
    "executions.update": Permission((_EXECUTION_OWNER,), _WORKFLOW_READABLE),
    "executions.cancel": Permission((_EXECUTION_OWNER,), _WORKFLOW_READABLE),
    "executions.list": ANYONE,
    "extensions.install": Permission((_roles(DEVELOPER, ADMIN), _COLLABORATOR)),
    "extensions.read": Permission((), _PROJECT_READABLE),
    "extensions.update": Permission((_roles(DEVELOPER, ADMIN), _COLLABORATOR), _PROJECT_READABLE),
    "extensions.uninstall": Permission(
        (_roles(DEVELOPER, ADMIN), _COLLABORATOR), _PROJECT_READABLE
    ),
    "extensions.list": ANYONE,
    "transactions.execute": ANYONE,
    "changes.watch": ANYONE,
    "access.check": Permission((_role_or_self(ADMIN, AUDITOR),)),
    "access.explain": Permission((), _DECISION_READABLE),
    "tokens.create": Permission((_role_or_self(ADMIN),)),
    "tokens.list": Permission((_role_or_self(ADMIN),)),
    "tokens.revoke": Permission((), _TOKEN_READABLE),
    "access.whoami": ANYONE,
    "audit.read": Permission((_roles(ADMIN, AUDITOR),)),
}

SEES_EVERYTHING: Final = frozenset({Role.ROLE_ADMIN, Role.ROLE_AUDITOR})
"""The roles for which a list leaves nothing out."""


def sees_everything(roles: Iterable[int]) -> bool:
    """True when one of the roles may read every resource."""
    return not SEES_EVERYTHING.isdisjoint(roles)
