"""`hybrid`: reads from a replica at hand, writes through the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.data_source import Answer, DataSource
from symphony_client.errors import NetworkError
from symphony_client.replica.answers import ReplicaAnswers, is_answerable
from symphony_client.replica.backoff import Backoff
from symphony_client.replica.database import ReplicaUnusable
from symphony_client.replica.following import Following
from symphony_client.replica.own_writes import OwnWrites
from symphony_client.replica.page_tokens import read_page_token
from symphony_client.replica.paging_on import page_on
from symphony_client.replica.replica import Replica, open_replica
from symphony_client.replica.staleness import Staleness

_log = logging.getLogger(__name__)

OWN_WRITES_WAIT_SECONDS: Final = 0.25
SILENCE_SECONDS: Final = 7.0
"""The contract promises a checkpoint every 5 s; this leaves time for it to come."""


class HybridDataSource:
    """A `DataSource` that answers reads from a replica of what the user may see, and hands on
    everything else: writes, ListUsers, capabilities, access, audit.

    The replica is filled through `inner` after the first call, and follows its change feed. Until
    it has everything, and whenever it cannot be used, reads go through `inner` as well: no read
    fails because of the replica. What it answers is the server's answer as of a revision of a
    moment ago (`staleness()` says of when); of a transaction or a change of rights that is just
    coming in, a part may show before the rest. It is not in the server's audit log.

    - A write is read by whoever reads after it through this source: the replica answers once it
      has it. A read waits a little for that, and then goes through `inner`. (A write that ended
      in NetworkError or DeadlineExceeded may have happened; it is not waited for.)
    - While the server is gone the replica goes on answering, as long as it is not older than
      `max_staleness_seconds`. What needs the server fails meanwhile.
    - When the server refuses the credential, or says that the user is suspended, the replica
      answers no more.
    - When the feed no longer reaches back to where the replica is (REVISION_COMPACTED), it starts
      afresh, and reads go through `inner` until it has.
    - A file is one user's and one process's. Before anything of it is read the server has said
      that the caller is that user; otherwise it is emptied. If it cannot be used, memory is.
    """

    def __init__(
        self,
        inner: DataSource,
        replica: Path | None = None,
        *,
        own_writes_wait_seconds: float = OWN_WRITES_WAIT_SECONDS,
        max_staleness_seconds: float | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        backoff: Backoff | None = None,
        server: str = "",
    ) -> None:
        """Take the source to fill from, and where to keep the replica: in memory by default.

        `server` is its address, if that tells it from another one with a copy of its data: a file
        that was filled from elsewhere is filled anew.
        A `max_staleness_seconds` below the 5 s between two signs of life of a quiet feed sends
        some reads through `inner` though nothing is amiss.
        """
        self._inner = inner
        self._path = replica
        self._max_staleness_seconds = max_staleness_seconds
        self._silence_seconds = silence_seconds
        self._backoff = backoff or Backoff()
        self._server = server
        self._own_writes = OwnWrites(wait_seconds=own_writes_wait_seconds)
        self._kept: _Kept | None = None
        self._closed = False

    async def call(self, request: Message) -> Answer:
        """See `DataSource.call`."""
        kept = self._open()
        if kept is not None and is_answerable(request):
            return await self._read(kept, request)
        answer = await self._inner.call(request)
        if answer.revision is not None and not getattr(request, "validate_only", False):
            self._own_writes.wrote(answer.revision)
        return answer

    def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """See `DataSource.watch`: the server's feed, not the replica's progress along it."""
        return self._inner.watch(request)

    def acting_as(self, user_id: str) -> DataSource:
        """See `DataSource.acting_as`. It is the inner source's own: the replica is one user's, so
        another one's reads all go to the server, and are not waited for by this one's.
        """
        return self._inner.acting_as(user_id)

    async def ready(self) -> None:
        """Return once reads are answered from the replica; it need not be waited for.

        Bound the wait (`asyncio.timeout`): without a server, a feed or the right to all that a
        replica holds there is none.
        """
        kept = self._open()
        if kept is None:
            raise NetworkError("the data source is closed")
        await kept.following.wait_until_ready()

    def staleness(self) -> Staleness:
        """How far the replica is behind; before the first call there is none."""
        if self._kept is None:
            return Staleness(revision=None, seconds=None, connected=False)
        return self._kept.following.staleness()

    async def close(self) -> None:
        """End following and close the replica and `inner`; a file is gone on with next time."""
        self._closed = True
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.close()
        await self._inner.close()

    async def _read(self, kept: _Kept, request: Message) -> Answer:
        if await self._may_answer(kept.following):
            try:
                message = kept.answers.to(request)
            except ReplicaUnusable as error:
                _log.warning("a read goes to the server, for the replica cannot be used: %s", error)
                kept.following.ready = False
            else:
                if message is not None:
                    return Answer(message)
        start = read_page_token(request) if getattr(request, "page_token", "") else None
        if start is None:
            return await self._inner.call(request)
        return Answer(await page_on(self._inner, request, start))

    async def _may_answer(self, following: Following) -> bool:
        if not following.ready or not await self._own_writes.are_applied(
            may_wait=following.connected
        ):
            return False
        if self._max_staleness_seconds is not None:
            seconds = following.staleness().seconds
            return seconds is not None and seconds <= self._max_staleness_seconds
        # Waiting for a write gives time to lose it.
        return following.ready

    def _open(self) -> _Kept | None:
        if self._kept is None and not self._closed:
            replica = open_replica(self._path)
            following = Following(
                replica,
                self._inner,
                self._own_writes,
                backoff=self._backoff,
                silence_seconds=self._silence_seconds,
                server=self._server,
            )
            self._kept = _Kept(replica, following)
        return self._kept


class _Kept:
    """The replica and the task that keeps it, from the first call to the end."""

    def __init__(self, replica: Replica, following: Following) -> None:
        self._replica = replica
        self.following = following
        self.answers = ReplicaAnswers(replica)
        self._task = asyncio.create_task(following.run(), name="symphony-replica")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))
        self._replica.close()
