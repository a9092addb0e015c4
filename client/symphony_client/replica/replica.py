"""The replica: the resources that a user may see, with the revision that they are at."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from symphony.v1.change_pb2 import Change, ChangeOperation
from symphony_client.replica.database import ReplicaUnusable, as_unusable, open_database
from symphony_client.resources.kinds import Kind, kinds_by_number
from symphony_client.resources.resource_table import Position, ResourceTable

_log = logging.getLogger(__name__)

_DELETED: Final = ChangeOperation.CHANGE_OPERATION_DELETED


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose replica it is, and of what."""

    user_id: str
    """The only user who is ever given anything of it."""
    origin: str
    """What is known of the server that it was read from."""


class Replica:
    """What one user may see, as of one revision.

    Rows and revision change together or not at all, whenever the process ends: who opens the
    file again goes on from where it is. Every method raises ReplicaUnusable where SQLite fails.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the file, made if there is none; without a path keep it in memory."""
        with as_unusable():
            self._connection = open_database(path)
            try:
                self._table = ResourceTable(self._connection)
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID"
                )
                kept = dict(self._connection.execute("SELECT key, value FROM meta").fetchall())
            except BaseException:
                self._connection.close()
                raise
        self.owner: Owner | None = None
        if "user_id" in kept:
            self.owner = Owner(kept["user_id"], kept["origin"])
        self.revision: int | None = kept.get("revision")
        """Every change up to here is in; None while it is filled, and before."""
        self.whole_from: int = kept.get("whole_from") or 0
        """The rows were read while changes went on: together they are right from here on."""

    @property
    def is_whole(self) -> bool:
        """Whether the rows are the user's view as of one revision."""
        return self.revision is not None and self.revision >= self.whole_from

    def begin(self, owner: Owner) -> None:
        """Forget everything, and start to fill it for a user."""
        foreign = self.owner is not None and self.owner.user_id != owner.user_id
        with as_unusable():
            with self._table.transaction():
                self._table.clear()
                self._connection.execute("DELETE FROM meta WHERE key IN ('revision', 'whole_from')")
                self._keep("user_id", owner.user_id)
                self._keep("origin", owner.origin)
            self.owner, self.revision, self.whole_from = owner, None, 0
            if foreign:
                # Nor does another user's data stay behind in the file's free pages.
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def fill(self, kind: Kind, resources: Iterable[Any]) -> None:
        """Take resources as they were listed."""
        with as_unusable(), self._table.transaction():
            for resource in resources:
                self._table.put(kind, resource)

    def complete(self, revision: int, *, whole_from: int) -> None:
        """Everything is in that was there at `revision`, and some of what came until
        `whole_from`; from now on the feed has the rest.
        """
        with as_unusable(), self._table.transaction():
            self._keep("revision", revision)
            self._keep("whole_from", whole_from)
        self.revision, self.whole_from = revision, whole_from

    def apply(self, changes: Iterable[Change], revision: int) -> None:
        """Take changes, after which everything up to `revision` is in."""
        kinds = kinds_by_number()
        with as_unusable(), self._table.transaction():
            for change in changes:
                kind = kinds.get(change.kind)
                if kind is None:  # of a newer contract: nobody here asks for it
                    continue
                if change.operation == _DELETED:
                    self._table.remove(kind, change.resource_id)
                else:
                    self._table.put(kind, getattr(change, kind.field))
            self._keep("revision", revision)
        self.revision = revision

    def get(self, kind: Kind, resource_id: str) -> Any:
        """The resource with an id, or None."""
        with as_unusable():
            return self._table.get(kind, resource_id)

    def find(
        self, kind: Kind, request: Any, start: Position | None
    ) -> tuple[list[Any], Position | None]:
        """See `ResourceTable.find`."""
        with as_unusable():
            return self._table.find(kind, request, start)

    def close(self) -> None:
        """Give up the file."""
        with as_unusable():
            self._connection.close()

    def _keep(self, key: str, value: Any) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def open_replica(path: Path | None) -> Replica:
    """The replica in a file, or in memory where there is no path or the file cannot be used.

    A file that is another process's, or no replica, is left as it is: nobody's reads fail for
    want of one.
    """
    if path is not None:
        try:
            return Replica(path)
        except ReplicaUnusable as error:
            _log.warning("the replica is kept in memory, for %s cannot be used: %s", path, error)
    return Replica(None)
