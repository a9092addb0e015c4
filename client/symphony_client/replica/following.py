"""Following the feed: the one task that fills the replica and keeps it up to date."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from typing import Final

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.change_pb2 import Change
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony_client.data_source import DataSource
from symphony_client.errors import (
    AuthorizationFailed,
    Conflict,
    DataError,
    NotAuthenticated,
    OperationNotSupported,
)
from symphony_client.replica.backoff import Backoff
from symphony_client.replica.database import ReplicaUnusable
from symphony_client.replica.feed import messages, newest_revision
from symphony_client.replica.filling import fill
from symphony_client.replica.own_writes import OwnWrites
from symphony_client.replica.replica import Owner, Replica
from symphony_client.replica.staleness import Staleness

_log = logging.getLogger(__name__)

MAX_HELD: Final = 10_000
"""So many resources that one change of rights turned are applied together with it; of more, some
show before the rest."""

SCOPES_NEEDED: Final = (
    *("changes.watch", "users.read"),
    *("projects.read", "projects.list", "workflows.read", "workflows.list"),
    *("executions.read", "executions.list", "extensions.read", "extensions.list"),
)
"""The permissions that a token must cover for a replica to answer in its stead."""


class Following:
    """Keeps one replica, for as long as `run()` runs."""

    def __init__(
        self,
        replica: Replica,
        source: DataSource,
        own_writes: OwnWrites,
        *,
        backoff: Backoff,
        silence_seconds: float,
        server: str,
    ) -> None:
        """Follow the feed of `source`; a feed that is silent for so long is taken for dead.

        `server` is its address, if it is known.
        """
        self._replica = replica
        self._source = source
        self._own_writes = own_writes
        self._backoff = backoff
        self._silence_seconds = silence_seconds
        self._server = server
        self._origin: str | None = None
        self._failures = 0
        self._current_at: float | None = None
        self._readiness = asyncio.Event()
        self.connected = False
        """Whether the feed is being followed."""

    @property
    def ready(self) -> bool:
        """Whether reads may be answered from the replica. It stays so when the server is gone,
        but not when it refuses the caller, nor while the replica is filled.
        """
        return self._readiness.is_set()

    @ready.setter
    def ready(self, value: bool) -> None:
        if value:
            self._readiness.set()
        else:
            self._readiness.clear()

    async def wait_until_ready(self) -> None:
        """Return once reads may be answered from the replica."""
        await self._readiness.wait()

    async def run(self) -> None:
        """Follow the feed until this is cancelled, whatever happens to it; or until it turns out
        that there is none, or none for this caller.
        """
        task = asyncio.current_task()
        # Who answers a cancellation with an error of its own does not keep this from ending.
        while task is not None and not task.cancelling():
            at_least = 0.0
            try:
                await self._follow()
            except OperationNotSupported as error:
                _log.warning("there is no replica: %s", error.message)
                return
            except DataError as error:
                at_least = self._ended(error)
            except ReplicaUnusable as error:
                _log.warning("the replica cannot be used, and is set aside: %s", error)
                self.ready = False
            except Exception:
                # A change that cannot be taken in would not be taken in the next time either.
                _log.exception("the replica could not follow the feed, and starts afresh")
                self._start_afresh()
            finally:
                self.connected = False
                self._own_writes.give_up()
            self._failures += 1
            await asyncio.sleep(max(at_least, self._backoff.seconds(self._failures)))

    def staleness(self) -> Staleness:
        """See `Staleness`."""
        since = None if self._current_at is None else time.monotonic() - self._current_at
        revision = self._replica.revision if self.ready else None
        return Staleness(revision=revision, seconds=since, connected=self.connected)

    async def _follow(self) -> None:
        owner = await self._identify()
        if self._replica.owner != owner:
            self._start_afresh()
        start = self._replica.revision
        if start is None:
            start, newest = await self._fill(owner)
        else:
            newest = await self._newest_revision()
        watch = messages(
            self._source,
            WatchRequest(start_revision=start),
            silence_seconds=self._silence_seconds,
        )
        held: list[Change] = []
        async with aclosing(watch) as heard:  # type: ignore[type-var]
            async for message in heard:
                self.connected = True
                if message.WhichOneof("event") == "checkpoint":
                    self._apply(held, message.checkpoint.revision)
                else:
                    self._take(held, message.change)
                # Not the first checkpoint: it may be of a server that does not know the last
                # changes yet, and does not come while there is one change after the other.
                if (self._replica.revision or 0) >= newest:
                    self._current_at = time.monotonic()
                    self.ready = self._replica.is_whole
                self._failures = 0

    def _take(self, held: list[Change], change: Change) -> None:
        """Apply a change with those that are held back, or hold it back as well.

        A change at the revision that the replica has is what the next one turns (change.proto):
        part of a change of rights, which shows as a whole.
        """
        revision = self._replica.revision or 0
        if change.revision < revision:
            raise AssertionError(f"the feed went back from {revision} to {change.revision}")
        held.append(change)
        if change.revision > revision or len(held) >= MAX_HELD:
            self._apply(held, change.revision)

    def _apply(self, held: list[Change], revision: int) -> None:
        self._replica.apply(held, revision)
        held.clear()
        self._own_writes.applied(revision)

    async def _identify(self) -> Owner:
        """Who is calling, and whom.

        Raises:
            OperationNotSupported: the token may not be used for all that a replica answers.
        """
        if self._origin is None:
            info = (await self._source.call(GetServerInfoRequest())).message
            # What another version tells of the same resources may differ.
            self._origin = f"{self._server} {info.contract_version} {info.version}"
        me = (await self._source.call(WhoAmIRequest())).message
        scopes = me.token.scopes
        if scopes and not all(_covers(scopes, permission) for permission in SCOPES_NEEDED):
            raise OperationNotSupported("the token's scopes are too narrow to keep one")
        made = me.user.create_time.ToMicroseconds()
        return Owner(me.user.id, f"{self._origin} {made}")

    async def _fill(self, owner: Owner) -> tuple[int, int]:
        """Fill the replica anew; returns the store's revision before and after."""
        written = self._own_writes.last
        start = await self._newest_revision()
        self._replica.begin(owner)
        await fill(self._replica, self._source, owner.user_id)
        end = await self._newest_revision()
        self._replica.complete(start, whole_from=end)
        if written > end:
            self._own_writes.forget(written)
        return start, end

    async def _newest_revision(self) -> int:
        return await newest_revision(self._source, silence_seconds=self._silence_seconds)

    def _start_afresh(self) -> None:
        """Let the rows go: reads are the source's until there are new ones. What is kept may be
        of a history that the store no longer has.
        """
        self.ready = False
        self._replica.revision = None

    def _ended(self, error: DataError) -> float:
        """Do what the end of the feed takes, and return after how many seconds to try again."""
        if isinstance(error, Conflict) and error.reason == "REVISION_COMPACTED":
            _log.info("the replica starts afresh: %s", error.message)
            self._start_afresh()
        elif isinstance(error, NotAuthenticated | AuthorizationFailed):
            # Who may not ask the server may not read what it once told, either.
            level = logging.WARNING if self.ready else logging.INFO
            _log.log(level, "the replica is set aside: %s", error.message)
            self.ready = False
        else:
            _log.info("the feed is gone, and is asked for again: %s", error.message)
        return error.retry_after.total_seconds() if error.retry_after else 0.0


def _covers(scopes: list[str], permission: str) -> bool:
    return any(
        scope in ("*", permission) or (scope.endswith(".") and permission.startswith(scope))
        for scope in scopes
    )
