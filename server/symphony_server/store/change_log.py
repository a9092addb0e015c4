"""The change log: what changed, in commit order, written in the change's own transaction."""

from __future__ import annotations

from peewee import fn

from symphony_server.store.statements import Compiler
from symphony_server.store.tables import ChangeEntry as T


class ChangeLog:
    """The change log of one connection. Appending is for the one writer only."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._last = compiled(T.select(fn.MAX(T.revision)))
        self._insert = compiled.insert(T)
        self._revision = 0

    def start_batch(self) -> None:
        """Read the store's revision; to be called when a write transaction has begun."""
        self._revision = self._last().fetchone()[0] or 0

    @property
    def revision(self) -> int:
        """The store's revision: that of the last change."""
        return self._revision

    def undo_to(self, revision: int) -> None:
        """Forget changes that a rollback took away."""
        self._revision = revision

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
    ) -> None:
        """Write a change as the store's next revision. `resource` is the serialized message
        after the change, empty when it is gone.
        """
        self._revision += 1
        self._insert(
            self._revision,
            kind,
            operation,
            resource_id,
            project_id,
            request_id,
            time_us,
            resource,
        )
