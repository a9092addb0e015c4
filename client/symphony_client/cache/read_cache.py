"""Reads answered from what is kept, and what is kept dropped when it is no longer so."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony_client.cache.entries import Entries
from symphony_client.cache.flights import Flights
from symphony_client.cache.keys import Identity, Key, keys_of
from symphony_client.cache.stats import CacheStats
from symphony_client.cache.watches import Watches
from symphony_client.cache.writes import reach
from symphony_client.data_source import DataSource


class ReadCache:
    """The cache of one source and of all users that it acts for, each with a part of its own.

    An answer is kept if it was asked for while the user's Watch was live and no change of the
    resource came before it did. It goes with the change, with the Watch, or in time.
    """

    def __init__(self, *, ttl_seconds: float, max_entries: int, timer: Callable[[], float]) -> None:
        """Keep at most so many answers, each at most so long by the timer."""
        self._entries = Entries(ttl_seconds=ttl_seconds, max_entries=max_entries, timer=timer)
        self._flights = Flights(self._entries.keep)
        self._watches = Watches(changed=self._drop_resource, lost=self._drop_identity, timer=timer)
        self._stats = CacheStats()

    @property
    def stats(self) -> CacheStats:
        """What was counted so far."""
        return replace(self._stats)

    async def read(self, key: Key, request: Message, source: DataSource) -> Message:
        """What the source answers, or answered and would still; the caller's own copy.

        Raises:
            DataError: what the source raised, to all who waited for it.
        """
        watching = self._watches.of(key.identity, source)
        live = watching is not None and watching.live
        if live:
            kept = self._entries.find(key)
            if kept is not None:
                self._stats.hits += 1
                return deepcopy(kept)
        flight = self._flights.joinable(key, live=live)
        if flight is not None:
            self._stats.waits += 1
        else:
            self._stats.misses += 1
            self._stats.unwatched += not live

            async def call() -> Message:
                message: Message = (await source.call(request)).message
                return message

            flight = self._flights.begin(key, call, keeps=live)
        return deepcopy(await flight.answer())

    def drop_written(self, request: Message, response: Message | None) -> None:
        """Drop what a write may have changed, for all users; there may be no response to it.

        Call it once the write has ended: reads under way may have come before it, and are not
        kept either.
        """
        written = reach(request, response)
        if written.anything:
            self._flights.overtake_where(lambda _: True)
            self._stats.dropped += self._entries.drop_all()
            return
        for identity in self._watches:
            for resource_id in written.resource_ids:
                self._drop_resource(identity, resource_id)
        if written.their_executions:
            self._flights.overtake_where(lambda key: key.request is GetExecutionRequest)
            self._stats.dropped += self._entries.drop_executions(written.resource_ids)

    async def close(self) -> None:
        """End the Watches and the calls under way; from now on nothing is kept."""
        await self._watches.close()
        await self._flights.close()

    def _drop_resource(self, identity: Identity, resource_id: str) -> None:
        self._flights.overtake(keys_of(identity, resource_id))
        self._stats.dropped += self._entries.drop_resource(identity, resource_id)

    def _drop_identity(self, identity: Identity) -> None:
        self._flights.overtake_where(lambda key: key.identity == identity)
        self._stats.dropped += self._entries.drop_identity(identity)
