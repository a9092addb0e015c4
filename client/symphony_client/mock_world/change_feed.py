"""The feed of changes, kept from the first on and followed by any number of watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import grpc

from symphony.v1.change_pb2 import Change, Checkpoint
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.errors import NetworkError, StatusDetails
from symphony_client.mock_world.refusals import Wrong, refuse


class Recorded(NamedTuple):
    """A change, and in which project it was."""

    change: Change
    project_id: str


class ChangeFeed:
    """Every change since the last `compact`, each at a revision of its own."""

    def __init__(self, time_us: int) -> None:
        """Start at revision 0."""
        self.revision = 0
        """That of the last change."""
        self._compacted = 0
        self._changes: list[Recorded] = []
        self._time_us = time_us
        self._drops = 0
        self._watches: set[asyncio.Event] = set()

    def append(self, changes: Sequence[Recorded], *, time_us: int) -> None:
        """Give changes their revisions and tell those who watch."""
        self._time_us = time_us
        for recorded in changes:
            self.revision += 1
            recorded.change.revision = self.revision
            self._changes.append(recorded)
        self._wake()

    def compact(self) -> None:
        """Forget all changes: who watches from before now is refused REVISION_COMPACTED."""
        self._compacted = self.revision
        self._changes.clear()

    def drop(self) -> None:
        """End every open watch, as a connection that broke does."""
        self._drops += 1
        self._wake()

    async def follow(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """Iterate over the changes after a revision, a checkpoint whenever it has caught up.

        Raises:
            Refused: REVISION_COMPACTED.
            NetworkError: the watch was dropped.
        """
        revision = request.start_revision or self.revision
        drops, woken = self._drops, asyncio.Event()
        self._watches.add(woken)
        try:
            checkpoint_due = True
            while self._drops == drops:
                refuse(self._not_kept(revision))
                woken.clear()
                for recorded in self._since(revision):
                    revision, checkpoint_due = recorded.change.revision, True
                    if _is_wanted(request, recorded):
                        yield WatchResponse(change=recorded.change)
                        if self._drops != drops:
                            break
                if self._drops == drops and checkpoint_due:
                    checkpoint_due = False
                    yield self._checkpoint(revision)
                await woken.wait()
        finally:
            self._watches.discard(woken)
        raise NetworkError(
            "the watch was dropped; watch again from the last revision",
            StatusDetails(status_code=grpc.StatusCode.UNAVAILABLE),
        )

    def _since(self, revision: int) -> list[Recorded]:
        return self._changes[max(0, revision - self._compacted) :]

    def _wake(self) -> None:
        for woken in self._watches:
            woken.set()

    def _checkpoint(self, revision: int) -> WatchResponse:
        checkpoint = Checkpoint(revision=revision)
        checkpoint.time.FromMicroseconds(self._time_us)
        return WatchResponse(checkpoint=checkpoint)

    def _not_kept(self, revision: int) -> Wrong | None:
        if self._compacted <= revision <= self.revision:
            return None
        return Wrong(
            reason="REVISION_COMPACTED",
            description=f"changes are kept from revision {self._compacted} to {self.revision}; "
            "watch from now (0), then read the resources afresh",
            field="start_revision",
            metadata={"compact_revision": str(self._compacted)},
        )


def _is_wanted(request: WatchRequest, recorded: Recorded) -> bool:
    return (not request.kinds or recorded.change.kind in request.kinds) and (
        not request.project_ids or recorded.project_id in request.project_ids
    )
