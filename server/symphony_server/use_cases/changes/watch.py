"""Tells one caller what changes, as it changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.access.caller import Subject
from symphony_server.refusal import Refused, Violation
from symphony_server.store.change_feed import BATCH, ChangeFeed, Shared
from symphony_server.store.change_log import Entry
from symphony_server.store.doors import Store
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.changes.messages import (
    CREATED,
    DELETED,
    UPDATED,
    change_message,
    checkpoint_message,
    turned_message,
)
from symphony_server.use_cases.changes.turned import TurnedBy
from symphony_server.use_cases.changes.view import EXECUTION, WORKFLOW, View, is_shared, owner_of

CHECKPOINT_SECONDS: Final = 4.0
"""A caller hears something at least every 5 s (contract.md); this leaves time to send it."""
QUIET_SECONDS: Final = 0.1
"""So soon a checkpoint follows the last of some changes."""
PROGRESS_SECONDS: Final = 1.0
"""So soon a caller learns of progress by changes that it may not see."""
RECHECK_SECONDS: Final = 1.0
"""How long a credential that was revoked elsewhere may still be used (access.md)."""

Send = Callable[[bytes], Awaitable[None]]
Recheck = Callable[[], Awaitable[None]]


async def watch(store: Store, feed: ChangeFeed, call: Call, send: Send, recheck: Recheck) -> None:
    """Send every later change that the caller may read, until it leaves.

    `recheck` raises Refused once the credential may no longer be used; it is asked before
    each batch, and every `RECHECK_SECONDS`. Raises Refused: REVISION_COMPACTED, SHUTTING_DOWN.
    """
    watching = _Watching(store, feed, call, send)
    await watching.begin()
    with feed.following(watching.newest):
        while not feed.closed:
            await recheck()
            await watching.go_on()
    raise Refused(
        [
            Violation(
                ErrorReason.ERROR_REASON_SHUTTING_DOWN,
                "the server is stopping; watch again from the last revision, and another one "
                "answers",
            )
        ],
        retry_after_seconds=0.5,
    )


class _Watching:
    """Where one caller is in the change log, and what it may see there."""

    def __init__(self, store: Store, feed: ChangeFeed, call: Call, send: Send) -> None:
        self._store = store
        self._feed = feed
        self._user: Subject = call.caller.user
        self._request: WatchRequest = call.request
        self._kinds = frozenset(self._request.kinds)
        self._projects = frozenset(self._request.project_ids)
        self._send = send
        self._view: View
        self._revision = 0
        """Everything up to here has been sent."""
        self._told = -1
        """The revision of the last checkpoint."""
        self._told_at = 0.0
        self._sent = False
        """Whether a change was sent since the last checkpoint."""
        self._sent_at = 0.0
        self.newest = 0
        """The store's revision when the watch began."""

    async def begin(self) -> None:
        def read(snapshot: Snapshot) -> tuple[int, int, View]:
            newest = snapshot.changes.last()
            revision = self._request.start_revision or newest
            _refuse_unless_kept(snapshot, revision, newest)
            return newest, revision, View.as_of(snapshot, self._user, revision)

        self.newest, self._revision, self._view = await self._store.read(read)
        if not self._request.start_revision:
            await self._checkpoint()

    async def go_on(self) -> None:
        """Send what there is, or wait for more."""
        shared = self._feed.after(self._revision)
        if shared is None:
            for entry, readable in await self._store.read(self._catch_up):
                await self._tell(Shared(entry), readable=readable)
        elif shared:
            for item in shared:
                await self._tell(item, readable=True)
        wait_seconds = self._due_at() - time.monotonic()
        if wait_seconds <= 0:
            await self._checkpoint()
            wait_seconds = CHECKPOINT_SECONDS
        if self._revision >= self._feed.revision:
            await self._feed.wait(self._revision, min(wait_seconds, RECHECK_SECONDS))

    def _due_at(self) -> float:
        """When the next checkpoint is due: in time, however many changes come meanwhile."""
        latest = self._told_at + CHECKPOINT_SECONDS
        if self._revision < self._feed.revision:
            return latest
        if self._sent:
            return min(self._sent_at + QUIET_SECONDS, latest)
        if self._revision > self._told:
            return self._told_at + PROGRESS_SECONDS
        return latest

    async def _send_change(self, message: bytes) -> None:
        await self._send(message)
        self._sent, self._sent_at = True, time.monotonic()

    async def _checkpoint(self) -> None:
        await self._send(checkpoint_message(self._revision))
        self._told, self._told_at, self._sent = self._revision, time.monotonic(), False

    def _catch_up(self, snapshot: Snapshot) -> list[tuple[Entry, bool]]:
        """The next changes, each with whether the caller may still read what it is about: it
        must not learn now what it missed while it could.
        """
        _refuse_unless_kept(snapshot, self._revision, snapshot.changes.last())
        now = View.now(snapshot, self._user)
        entries = snapshot.changes.since(self._revision, BATCH)
        return [(entry, _is_readable(snapshot, now, entry)) for entry in entries]

    async def _tell(self, shared: Shared, *, readable: bool) -> None:
        """Send what a change is to the caller, if anything, and move past it."""
        entry, before = shared.entry, self._view
        concerned = before.concerns(entry)
        if concerned:
            self._view = before.copy()
            self._view.move_past(entry)
        saw, sees = before.saw(entry), self._view.sees_now(entry)
        if concerned or (entry.kind == WORKFLOW and entry.was_there and saw != sees):
            await self._tell_turned(entry, before)
        if sees and readable:
            operation = UPDATED if saw else CREATED
        elif saw and not sees:
            operation = DELETED
        else:
            self._revision = entry.revision
            return
        if self._is_wanted(entry.kind, entry.project_id):
            message = shared.written.get(operation)
            if message is None:
                message = shared.written[operation] = change_message(entry, operation)
            await self._send_change(message)
        self._revision = entry.revision

    async def _tell_turned(self, entry: Entry, before: View) -> None:
        if before.everything and self._view.everything:
            return
        async for page in TurnedBy(self._store, entry, before, self._view).pages():
            for turned in page:
                # The resource that the change is about is told by the change itself.
                if turned.resource_id != entry.resource_id and self._is_wanted(
                    turned.kind, turned.project_id
                ):
                    await self._send_change(turned_message(entry, turned))

    def _is_wanted(self, kind: int, project_id: str) -> bool:
        return (not self._kinds or kind in self._kinds) and (
            not self._projects or project_id in self._projects
        )


def _refuse_unless_kept(snapshot: Snapshot, revision: int, newest: int) -> None:
    compacted = snapshot.changes.compacted()
    if compacted <= revision <= newest:
        return
    if revision > newest:
        said = (
            f"the store is at revision {newest} and has no revision {revision}, as after a restore"
        )
    else:
        said = f"the changes up to revision {compacted} are no longer kept"
    raise Refused(
        [
            Violation(
                ErrorReason.ERROR_REASON_REVISION_COMPACTED,
                f"{said}; watch from now (0), then read the resources afresh",
                field="start_revision",
                metadata={"compact_revision": str(compacted)},
            )
        ]
    )


def _is_readable(snapshot: Snapshot, now: View, entry: Entry) -> bool:
    """Whether the caller may read the resource of an older change today."""

    def sees(*, shared: bool) -> bool:
        return now.sees(
            entry.kind, project_id=entry.project_id, owner_id=owner_of(entry), shared=shared
        )

    if not entry.is_there or sees(shared=False):
        return True
    workflow_id = entry.parent_id if entry.kind == EXECUTION else entry.resource_id
    workflow, _ = snapshot.workflows.get(workflow_id, "")
    return sees(shared=is_shared(entry, entry.after) if workflow is None else workflow.shared)
