"""The change log: what changed, in commit order, written in the change's own transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from peewee import Value, fn

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import ChangeEntry as T

MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
"""A batch of changes ends early rather than be larger."""

_RIGHTS = (ResourceKind.RESOURCE_KIND_USER, ResourceKind.RESOURCE_KIND_PROJECT_MEMBER)


class Standing(NamedTuple):
    """What decides who may see a resource, besides their relation to its project."""

    owner_id: str = ""
    """Whose it is: of a workflow or an execution the workflow's owner, of a member or a user
    that user."""
    before: int = 0
    """Before the change: of a workflow or an execution 1 if the workflow was shared, of a
    member its role, of a user 1 if it saw everything."""
    after: int = 0
    """After the change, likewise."""
    parent_id: str = ""
    """Of an execution, its workflow."""


class Entry(NamedTuple):
    """One change as it is kept; the fields are the columns of the table."""

    revision: int
    kind: int
    operation: int
    resource_id: str
    project_id: str
    request_id: str
    time_us: int
    resource: bytes
    """The serialized message after the change, empty when it is gone."""
    owner_id: str
    before: int
    after: int
    parent_id: str

    @property
    def was_there(self) -> bool:
        """True when the resource existed before the change."""
        return self.operation != ChangeOperation.CHANGE_OPERATION_CREATED

    @property
    def is_there(self) -> bool:
        """True when the resource exists after the change."""
        return self.operation != ChangeOperation.CHANGE_OPERATION_DELETED


class ChangeLog:
    """The change log of one connection. Appending is for the one writer only.

    What a batch appends is written when it is sealed, all at once, as the audit log's records are.
    """

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        columns = [getattr(T, name) for name in T._meta.sorted_field_names]
        later = T.revision > param("revision")
        self._last = compiled(T.select(fn.MAX(T.revision)))
        self._first = compiled(T.select(fn.MIN(T.revision)))
        self._insert = compiled.insert(T)
        self._since = compiled(
            T.select(*columns).where(later).order_by(T.revision).limit(param("size")),
            "revision",
            "size",
        )
        # Without the resources themselves, which are most of the bytes.
        standing = [Value(b"") if column is T.resource else column for column in columns]
        self._standings = compiled(
            T.select(*standing).where(later).order_by(T.revision), "revision"
        )
        self._standings_in = compiled(
            T.select(*standing)
            .where((T.project_id == param("project")) & later)
            .order_by(T.revision),
            "project",
            "revision",
        )
        self._standings_of = compiled(
            T.select(*standing)
            .where(
                (T.project_id == param("project"))
                & later
                & ((T.resource_id == param("resource")) | (T.parent_id == param("parent")))
            )
            .order_by(T.revision),
            "project",
            "revision",
            "resource",
            "parent",
        )
        self._rights = compiled(
            T.select(*columns)
            .where((T.owner_id == param("user")) & later & T.kind.in_(_RIGHTS))
            .order_by(T.revision.desc()),
            "user",
            "revision",
        )
        self._oldest = compiled(
            T.select(T.revision, T.time).order_by(T.revision).limit(param("size")), "size"
        )
        self._forget = compiled.delete(T, T.revision <= param("revision"), "revision")
        self._sealed = 0
        self._appended: list[tuple[Any, ...]] = []

    def start_batch(self) -> None:
        """Read the store's revision; to be called when a write transaction has begun."""
        self._sealed = self.last()
        self._appended.clear()

    @property
    def revision(self) -> int:
        """The store's revision: that of the last change, as of the start of the batch and what was
        appended since.
        """
        return self._sealed + len(self._appended)

    def undo_to(self, revision: int) -> None:
        """Forget changes that a rollback took away."""
        del self._appended[revision - self._sealed :]

    def append(
        self,
        *,
        kind: int,
        operation: int,
        resource_id: str,
        project_id: str,
        request_id: str,
        time_us: int,
        resource: bytes,
        standing: Standing,
    ) -> None:
        """Give a change the store's next revision; it is written with the batch. `resource` is the
        serialized message after the change, empty when it is gone.
        """
        entry = (
            self.revision + 1,
            kind,
            operation,
            resource_id,
            project_id,
            request_id,
            time_us,
            resource,
            standing.owner_id,
            # True and False are numbers in Python, and not in PostgreSQL.
            int(standing.before),
            int(standing.after),
            standing.parent_id,
        )
        self._appended.append(entry)

    def seal(self) -> bool:
        """Write what was appended; to be called just before the batch commits. True if there was
        any.
        """
        if self._appended:
            self._insert.many(self._appended)
        return bool(self._appended)

    def last(self) -> int:
        """The last revision as it is stored; 0 when nothing ever changed."""
        return self._last().fetchone()[0] or 0

    def compacted(self) -> int:
        """The lowest revision after which every change is still kept."""
        first: int | None = self._first().fetchone()[0]
        return 0 if first is None else first - 1

    def since(self, revision: int, size: int) -> list[Entry]:
        """At most `size` changes after a revision, the earliest first; fewer when they are
        large, but one if there is any.
        """
        found: list[Entry] = []
        room = MAX_BATCH_BYTES
        rows = self._since(revision, size)
        while (row := rows.fetchone()) is not None:
            entry = Entry(*row)
            room -= len(entry.resource)
            if room < 0 and found:
                rows.close()
                break
            found.append(entry)
        return found

    def standings_since(
        self, revision: int, project_id: str | None = None, resource_id: str | None = None
    ) -> Iterator[Entry]:
        """The changes after a revision, anywhere, in a project, or of a resource in it and what
        is below that; without the resources, the earliest first, as they are read.
        """
        if project_id is None:
            rows = self._standings.stream(revision)
        elif resource_id is not None:
            rows = self._standings_of.stream(project_id, revision, resource_id, resource_id)
        else:
            rows = self._standings_in.stream(project_id, revision)
        for row in rows:
            yield Entry(*row)

    def of_rights(self, user_id: str, revision: int) -> Sequence[Entry]:
        """The changes of a user's roles and memberships after a revision, the latest first."""
        return [Entry(*row) for row in self._rights(user_id, revision).fetchall()]

    def compact(self, *, before_us: int, limit: int) -> int:
        """Forget at most `limit` changes that were made before a time, the earliest first,
        but never the last change of all; returns how many.
        """
        last = self.last()
        expired = [
            revision
            for revision, time_us in self._oldest(limit).fetchall()
            if time_us < before_us and revision < last
        ]
        if expired:
            self._forget(expired[-1])
        return len(expired)
