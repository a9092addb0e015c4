"""What belongs to a project, and a project itself, read with a user's relation to that project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from peewee import JOIN

from symphony_server.store import tables
from symphony_server.store.statements import Compiler, param

MessageT = TypeVar("MessageT")
M = tables.ProjectMember


class WithRelation(Generic[MessageT]):
    """Reads a resource by its id, in one statement."""

    def __init__(
        self,
        compiled: Compiler,
        columns: Sequence[Any],
        message: Callable[[Sequence[Any]], MessageT],
        *,
        resource_id: Any,
        project_id: Any,
    ) -> None:
        """Compile the statement; `message` is made of a row with the columns."""
        membership = (M.project_id == project_id) & (M.user_id == param("user"))
        self._get = compiled(
            resource_id.model.select(*columns, M.role)
            .join(M, JOIN.LEFT_OUTER, on=membership)
            .where(resource_id == param("id")),
            "user",
            "id",
        )
        self._message = message

    def get(self, resource_id: str, user_id: str) -> tuple[MessageT | None, int]:
        """The resource, or None, and the user's relation to its project: a ProjectRole, 0 for
        none.
        """
        row = self._get(user_id, resource_id).fetchone()
        if row is None:
            return None, 0
        return self._message(row[:-1]), row[-1] or 0
