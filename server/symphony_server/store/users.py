"""Users: rows ↔ messages, and the statements on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import fn

from symphony.v1.user_pb2 import Role, User
from symphony_server.store import tables
from symphony_server.store.stamps import stamp
from symphony_server.store.statements import Compiler, param

T = tables.User
COLUMNS = (T.id, T.email, T.name, T.tier, T.roles, T.state, T.create_time, T.update_time)


def roles_mask(roles: Iterable[int]) -> int:
    """Roles as one number: bit n for role n."""
    mask = 0
    for role in roles:
        mask |= 1 << role
    return mask


def user_message(row: Sequence[Any]) -> User:
    """The message of a row with `COLUMNS`."""
    user_id, email, name, tier, mask, state, create_time, update_time = row
    user = User(id=user_id, email=email, name=name, tier=tier, state=state)
    user.roles.extend(role for role in Role.values() if mask >> role & 1)
    stamp(user, create_time_us=create_time, update_time_us=update_time)
    return user


class Users:
    """The users of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        one = T.select(*COLUMNS)
        self._get = compiled(one.where(T.id == param("id")), "id")
        self._by_email = compiled(one.where(T.email_key == param("key")), "key")
        self._insert = compiled.insert(T)
        self._update = compiled.update(
            T,
            (T.email, T.email_key, T.name, T.name_key, T.tier, T.roles, T.state, T.update_time),
            T.id == param("id"),
            "id",
        )
        self._delete = compiled.delete(T, T.id == param("id"), "id")
        self._owned = compiled(T.select(T.workflows_owned).where(T.id == param("id")), "id")
        self._add_owned = compiled(
            T.update({T.workflows_owned: T.workflows_owned + param("by")}).where(
                T.id == param("id")
            ),
            "by",
            "id",
        )
        self._any = compiled(T.select(T.id).limit(1))
        member = tables.ProjectMember
        project = tables.Project
        self._in_use = compiled(
            T.select(
                T.workflows_owned,
                fn.EXISTS(member.select(member.user_id).where(member.user_id == param("member"))),
                fn.EXISTS(project.select(project.id).where(project.owner_id == param("owner"))),
            ).where(T.id == param("id")),
            "member",
            "owner",
            "id",
        )

    def get(self, user_id: str) -> User | None:
        """The user with an id, or None."""
        row = self._get(user_id).fetchone()
        return None if row is None else user_message(row)

    def by_email(self, email_key: str) -> User | None:
        """The user with an address, given as `email_key` writes it, or None."""
        row = self._by_email(email_key).fetchone()
        return None if row is None else user_message(row)

    def insert(self, user: User, *, email_key: str, name_key: str, time_us: int) -> None:
        """Add a user who owns nothing yet."""
        self._insert(user.id, *_values(user, email_key, name_key), 0, time_us, time_us)

    def update(self, user: User, *, email_key: str, name_key: str, time_us: int) -> None:
        """Replace everything of a user but its id, counters and creation time."""
        self._update(*_values(user, email_key, name_key), time_us, user.id)

    def delete(self, user_id: str) -> None:
        """Remove a user."""
        self._delete(user_id)

    def workflows_owned(self, user_id: str) -> int:
        """How many workflows a user owns; 0 for one who is not there."""
        row = self._owned(user_id).fetchone()
        return 0 if row is None else int(row[0])

    def add_workflows_owned(self, user_id: str, by: int) -> None:
        """Count workflows gained or lost."""
        self._add_owned(by, user_id)

    def what_uses(self, user_id: str) -> list[str]:
        """What keeps a user from being removed: `workflows`, `project memberships`, `projects`."""
        row = self._in_use(user_id, user_id, user_id).fetchone()
        if row is None:
            return []
        names = ("workflows", "project memberships", "projects")
        return [name for name, used in zip(names, row, strict=True) if used]

    def none_exist(self) -> bool:
        """True when there is no user at all."""
        return self._any().fetchone() is None


def _values(user: User, email_key: str, name_key: str) -> tuple[Any, ...]:
    """What an update may change, in the order of the table's columns."""
    roles = roles_mask(user.roles)
    return (user.email, email_key, user.name, name_key, user.tier, roles, user.state)
