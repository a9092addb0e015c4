"""`cached`: keeps what another data source answered."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from google.protobuf.message import Message

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.cache.keys import Identity, key_of
from symphony_client.cache.read_cache import ReadCache
from symphony_client.cache.stats import CacheStats
from symphony_client.contract_methods import method_of
from symphony_client.data_source import Answer, DataSource


class CachedDataSource:
    """A `DataSource` that answers reads by id with what the one within answered before, for as
    long as that is still so. Everything else it hands on.

    Kept are a user, a project and its constraints, a workflow, an extension and an execution; no
    errors, so that what is not there is asked for each time. How current an answer is:

    - A write through this source is in every read that begins after its answer.
    - A change by anyone else is in the reads within milliseconds: the change feed tells of it.
    - While the feed is not heard nothing is kept and reads go through; that it is not is noticed
      after 7 s without a word. So it is too where the source has no feed, or the user may not
      watch: the TTL alone would serve what was taken from the user's sight.

    A hundred who want the same at a time make one call. Each user that is acted for has entries
    and a Watch of its own; nobody is served another's. A read that is answered from here is not
    seen by the server: neither counted, nor limited, nor in its audit log.
    """

    def __init__(
        self,
        inner: DataSource,
        *,
        ttl_seconds: float = 30,
        max_entries: int = 10_000,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep at most `max_entries` answers of `inner`, of all users together, each for at most
        `ttl_seconds`. A user's Watch is opened with its first read that may be kept.
        """
        if ttl_seconds <= 0 or max_entries < 1:
            raise ValueError("ttl_seconds takes a number above 0, max_entries 1 or more")
        self._inner = inner
        self._identity: Identity = None
        self._cache = ReadCache(ttl_seconds=ttl_seconds, max_entries=max_entries, timer=timer)

    @property
    def stats(self) -> CacheStats:
        """What was counted so far, for this source and all that share its cache."""
        return self._cache.stats

    async def call(self, request: Message) -> Answer:
        """See `DataSource.call`."""
        key = key_of(self._identity, request)
        if key is not None:
            return Answer(await self._cache.read(key, request, self._inner))
        if method_of(request).writes:
            return await self._write(request)
        return await self._inner.call(request)

    def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        """See `DataSource.watch`."""
        return self._inner.watch(request)

    def acting_as(self, user_id: str) -> CachedDataSource:
        """See `DataSource.acting_as`. Shared are the bounds and the counts, never an entry."""
        other = CachedDataSource.__new__(CachedDataSource)
        other._inner = self._inner.acting_as(user_id)
        other._identity = user_id
        other._cache = self._cache
        return other

    async def close(self) -> None:
        """See `DataSource.close`. Closes the source within, too."""
        try:
            await self._cache.close()
        finally:
            await self._inner.close()

    async def _write(self, request: Message) -> Answer:
        response: Message | None = None
        try:
            answer = await self._inner.call(request)
            response = answer.message
            return answer
        finally:
            # After an error too: that no answer came does not say that nothing was written.
            self._cache.drop_written(request, response)
