"""The answers that are kept, of all users together, bounded by age and number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from cachetools import Cache, TTLCache
from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony_client.cache.keys import Identity, Key, keys_of


class Entries:
    """Answers by key. When there is no room the one that was not read for longest gives way.

    They are the cache's own: what is handed out of it must be a copy. Each way to drop some
    returns how many went.
    """

    def __init__(self, *, ttl_seconds: float, max_entries: int, timer: Callable[[], float]) -> None:
        """Keep at most so many, each for at most so long by the timer."""
        self._kept: TTLCache[Key, Message] = TTLCache(max_entries, ttl_seconds, timer)

    def find(self, key: Key) -> Message | None:
        """The answer, if there is one and it is not too old."""
        return self._kept.get(key)

    def keep(self, key: Key, message: Message) -> None:
        """Keep an answer, which nobody else may change."""
        self._kept[key] = message

    def drop_resource(self, identity: Identity, resource_id: str) -> int:
        """Drop what one user has of a resource."""
        return self._drop(keys_of(identity, resource_id))

    def drop_executions(self, workflow_ids: Collection[str]) -> int:
        """Drop what anybody has of the executions of some workflows."""
        return self._drop(
            [
                key
                for key in self._keys()
                if key.request is GetExecutionRequest
                and self._execution(key).workflow_id in workflow_ids
            ]
        )

    def drop_identity(self, identity: Identity) -> int:
        """Drop all that one user has."""
        return self._drop([key for key in self._keys() if key.identity == identity])

    def drop_all(self) -> int:
        """Drop all that anybody has."""
        dropped = len(self._kept)
        self._kept.clear()
        return dropped

    def _keys(self) -> Iterator[Key]:
        # Past the TTLCache, which looks at the time for each; what is too old does no harm here.
        return Cache.__iter__(self._kept)

    def _execution(self, key: Key) -> Any:
        # Past the TTLCache, to which looking would be reading: it decides what gives way.
        return Cache.__getitem__(self._kept, key)

    def _drop(self, keys: Iterable[Key]) -> int:
        return sum(self._kept.pop(key, None) is not None for key in keys)
