"""What a change of rights turned: all that a user can see from then on, or no longer can.

The resources are read as they are now, a page a transaction, and the change may be older than
that. What has changed since is put back to how it stood by the first later change of it: of
what was gained nothing needs to be told then, for that later change tells it; what was lost
is told by how it stood.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from symphony_server.store.change_log import Entry
from symphony_server.store.doors import Store
from symphony_server.store.executions import execution_message
from symphony_server.store.extensions import extension_message
from symphony_server.store.listings import (
    EXECUTIONS,
    EXTENSIONS,
    MEMBERS,
    PROJECTS,
    USERS,
    WORKFLOWS,
)
from symphony_server.store.lists import Cursor, Listing
from symphony_server.store.projects import member_message, project_message
from symphony_server.store.transaction import Snapshot
from symphony_server.store.users import user_message
from symphony_server.store.workflows import workflow_message
from symphony_server.use_cases.changes.view import (
    EXECUTION,
    EXTENSION,
    PROJECT,
    PROJECT_MEMBER,
    USER,
    WORKFLOW,
    View,
    is_shared,
    owner_of,
)

PAGE_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Turned:
    """A resource that came into view, or went out of it."""

    kind: int
    resource_id: str
    project_id: str
    message: Any
    """The resource, or None when it went."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How to read all resources of one kind."""

    kind: int
    listing: Listing
    to_message: Callable[[Any], Any]
    id_of: Callable[[Any], str] = lambda message: str(message.id)


_USERS: Final = _Kind(USER, USERS, user_message)
_PROJECTS: Final = _Kind(PROJECT, PROJECTS, project_message)
_MEMBERS: Final = _Kind(
    PROJECT_MEMBER, MEMBERS, member_message, lambda m: f"{m.project_id}/{m.user_id}"
)
_EXTENSIONS: Final = _Kind(EXTENSION, EXTENSIONS, extension_message)
_WORKFLOWS: Final = _Kind(WORKFLOW, WORKFLOWS, workflow_message)
_EXECUTIONS: Final = _Kind(EXECUTION, EXECUTIONS, execution_message)

Pages = AsyncIterator[list[Turned]]
Later = Mapping[tuple[int, str], Entry]
"""By kind and id, the first change of a resource after the one that turned it."""


class TurnedBy:
    """What one change turned for one user."""

    def __init__(self, store: Store, entry: Entry, old: View, new: View) -> None:
        """Take the change, and what the user could see before it and can see after it."""
        self._store = store
        self._entry = entry
        self._old = old
        self._new = new

    async def pages(self) -> Pages:
        """All of it, a page at a time."""
        if self._entry.kind == WORKFLOW:
            found = self._turned(_EXECUTIONS, {"workflow_id": self._entry.resource_id})
        elif self._entry.kind == PROJECT_MEMBER:
            found = self._in_project(self._entry.project_id)
        else:
            found = self._anywhere()
        lost: set[tuple[int, str]] = set()
        async for page in found:
            lost.update((each.kind, each.resource_id) for each in page if each.message is None)
            yield page
        changed = await self._store.read(self._lost_and_changed)
        yield [each for each in changed if (each.kind, each.resource_id) not in lost]

    async def _in_project(self, project_id: str) -> Pages:
        def itself(snapshot: Snapshot) -> list[Turned]:
            project, _ = snapshot.projects.get(project_id, "")
            return [] if project is None else self._judge(snapshot, _PROJECTS, [project])

        yield await self._store.read(itself)
        for kind in (_MEMBERS, _EXTENSIONS, _WORKFLOWS, _EXECUTIONS):
            async for page in self._turned(kind, {"project_id": project_id}):
                yield page

    async def _anywhere(self) -> Pages:
        for kind in (_USERS, _PROJECTS, _EXTENSIONS, _WORKFLOWS, _EXECUTIONS):
            async for page in self._turned(kind, {}):
                yield page
        async for projects in self._messages(_PROJECTS, {}):
            for project in projects:
                async for page in self._turned(_MEMBERS, {"project_id": project.id}):
                    yield page

    async def _turned(self, kind: _Kind, filters: Mapping[str, str]) -> Pages:
        start: Cursor | None = None
        while True:

            def read(
                snapshot: Snapshot, start: Cursor | None = start
            ) -> tuple[list[Turned], Cursor | None]:
                messages, following = _page(snapshot, kind, filters, start)
                return self._judge(snapshot, kind, messages), following

            page, start = await self._store.read(read)
            yield page
            if start is None:
                return

    async def _messages(self, kind: _Kind, filters: Mapping[str, str]) -> AsyncIterator[list[Any]]:
        start: Cursor | None = None
        while True:

            def read(
                snapshot: Snapshot, start: Cursor | None = start
            ) -> tuple[list[Any], Cursor | None]:
                return _page(snapshot, kind, filters, start)

            messages, start = await self._store.read(read)
            yield messages
            if start is None:
                return

    def _judge(self, snapshot: Snapshot, kind: _Kind, messages: Iterable[Any]) -> list[Turned]:
        """Those of the resources that were turned, but for what has changed since."""
        later = _first_changes(self._later(snapshot))
        now = View.now(snapshot, self._new.subject)
        found = []
        for message in messages:
            resource_id = kind.id_of(message)
            if (kind.kind, resource_id) in later:
                continue  # it may be another of the same id by now: see `_lost_and_changed`
            project_id, owner_id, shared = _standing(snapshot, kind.kind, message)
            since = later.get((WORKFLOW, getattr(message, "workflow_id", "")))
            stood = shared if since is None else bool(since.before)
            could, can = self._could_and_can(kind.kind, project_id, owner_id, stood)
            if could and not can:
                found.append(Turned(kind.kind, resource_id, project_id, None))
            elif (
                can
                and not could
                and now.sees(kind.kind, project_id=project_id, owner_id=owner_id, shared=shared)
            ):
                found.append(Turned(kind.kind, resource_id, project_id, message))
        return found

    def _could_and_can(
        self, kind: int, project_id: str, owner_id: str, shared: bool
    ) -> tuple[bool, bool]:
        before = after = shared
        if self._entry.kind == WORKFLOW:
            before, after = bool(self._entry.before), bool(self._entry.after)
        return (
            self._old.sees(kind, project_id=project_id, owner_id=owner_id, shared=before),
            self._new.sees(kind, project_id=project_id, owner_id=owner_id, shared=after),
        )

    def _later(self, snapshot: Snapshot) -> Iterable[Entry]:
        """The changes since this one wherever it may have turned anything."""
        entry = self._entry
        if entry.kind == USER:
            return snapshot.changes.standings_since(entry.revision)
        workflow_id = entry.resource_id if entry.kind == WORKFLOW else None
        return snapshot.changes.standings_since(entry.revision, entry.project_id, workflow_id)

    def _lost_and_changed(self, snapshot: Snapshot) -> list[Turned]:
        """What was lost and has changed since, by how it stood before: it may not have been there
        when its page was read, and may be there again as somebody else's.
        """
        later = _first_changes(self._later(snapshot))
        found = []
        for first in later.values():
            if not first.was_there:
                continue
            if self._entry.kind == WORKFLOW and first.parent_id != self._entry.resource_id:
                continue
            workflow = later.get((WORKFLOW, first.parent_id), first)
            could, can = self._could_and_can(
                first.kind, first.project_id, owner_of(first), is_shared(first, workflow.before)
            )
            if could and not can:
                found.append(Turned(first.kind, first.resource_id, first.project_id, None))
        return found


def _page(
    snapshot: Snapshot, kind: _Kind, filters: Mapping[str, str], start: Cursor | None
) -> tuple[list[Any], Cursor | None]:
    page = snapshot.lists.page(
        kind.listing,
        filters,
        order="create_time",
        size=PAGE_ROWS,
        start=start,
        visible_to=None,
    )
    return [kind.to_message(row) for row in page.rows], page.next


def _first_changes(entries: Iterable[Entry]) -> Later:
    first: dict[tuple[int, str], Entry] = {}
    for entry in entries:
        first.setdefault((entry.kind, entry.resource_id), entry)
    return first


def _standing(snapshot: Snapshot, kind: int, message: Any) -> tuple[str, str, bool]:
    """The project of a resource, whose it is, and whether its workflow is shared."""
    if kind == USER:
        return "", message.id, False
    if kind == PROJECT:
        return message.id, "", False
    if kind not in (WORKFLOW, EXECUTION):
        return message.project_id, "", False
    workflow = message
    if kind == EXECUTION:
        # A workflow takes its executions along, so it is there.
        workflow, _ = snapshot.workflows.get(message.workflow_id, "")
    return workflow.project_id, workflow.user_id, workflow.shared
