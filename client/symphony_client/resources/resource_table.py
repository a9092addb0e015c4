"""Resources of every kind in one SQLite table, found by id and by what the List requests ask."""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from google.protobuf.message import Message

from symphony_client.errors import ValidationFailed, Violation
from symphony_client.errors.status_details import StatusDetails
from symphony_client.resources.kinds import KINDS, Kind
from symphony_client.resources.names import name_key, prefix_bounds

DEFAULT_PAGE_SIZE: Final = 50
"""The contract's, for a `page_size` of 0."""
DEFAULT_ORDER: Final = "create_time desc"

Position = tuple[str | int, str]
"""Where a page ended: the sort key and the id of its last resource."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    project_id TEXT NOT NULL DEFAULT '',
    user_id TEXT NOT NULL DEFAULT '',
    workflow_id TEXT NOT NULL DEFAULT '',
    state INTEGER NOT NULL DEFAULT 0,
    class INTEGER NOT NULL DEFAULT 0,
    name_key TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_time ON resources (kind, create_time, id);
CREATE INDEX IF NOT EXISTS by_name ON resources (kind, name_key, id);
CREATE INDEX IF NOT EXISTS by_project ON resources (kind, project_id, create_time, id);
CREATE INDEX IF NOT EXISTS by_user ON resources (kind, user_id, create_time, id);
CREATE INDEX IF NOT EXISTS by_workflow ON resources (kind, workflow_id, create_time, id);
"""


class ResourceTable:
    """The resources of one SQLite connection.

    What is written between two commits is the caller's to bound with `transaction()`. Every
    method reads or writes at most a page, and may be called on an event loop.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode (`isolation_level=None`); make the table if it is
        not there.
        """
        self._connection = connection
        connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """All of what the block writes, or nothing where it raises or is not to be kept.

        They nest: an inner one is a savepoint of the outer.
        """
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")

    def put(self, kind: Kind, resource: Any) -> None:
        """Keep a resource, in the place of what has its id."""
        values = {column: getattr(resource, field) for column, field in kind.columns.items()}
        self._connection.execute(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                kind.number,
                kind.id_of(resource),
                values.get("project_id", ""),
                values.get("user_id", ""),
                values.get("workflow_id", ""),
                values.get("state", 0),
                values.get("class", 0),
                name_key(kind.name_of(resource)),
                _microseconds(resource.create_time),
                resource.SerializeToString(),
            ),
        )

    def remove(self, kind: Kind, resource_id: str) -> bool:
        """Forget a resource; returns whether there was one."""
        cursor = self._connection.execute(
            "DELETE FROM resources WHERE kind = ? AND id = ?", (kind.number, resource_id)
        )
        return cursor.rowcount > 0

    def clear(self) -> None:
        """Forget all."""
        self._connection.execute("DELETE FROM resources")

    def get(self, kind: Kind, resource_id: str) -> Any:
        """The resource with an id, or None."""
        row = self._connection.execute(
            "SELECT message FROM resources WHERE kind = ? AND id = ?", (kind.number, resource_id)
        ).fetchone()
        return None if row is None else kind.message.FromString(row[0])

    def named(self, kind: Kind, name: str, *, project_id: str = "") -> Iterator[Any]:
        """The resources of a project, or of none, that have a name."""
        rows = self._connection.execute(
            "SELECT message FROM resources WHERE kind = ? AND name_key = ? AND project_id = ?",
            (kind.number, name_key(name), project_id),
        )
        return (kind.message.FromString(message) for (message,) in rows.fetchall())

    def page(self, kind: Kind, request: Any) -> Any:
        """The response to a List request of the kind.

        Raises:
            ValidationFailed: the page token is none of this table's.
        """
        start = _read_page_token(request.page_token) if request.page_token else None
        found, end = self.find(kind, request, start)
        token = "" if end is None else _page_token(end)
        return kind.list_response(**{kind.plural: found}, next_page_token=token)

    def find(
        self, kind: Kind, request: Any, start: Position | None
    ) -> tuple[list[Any], Position | None]:
        """As many resources as a List request of the kind asks for, from after `start` on or from
        the first; and where they end, or None if no more follow. The page token is not looked at.
        """
        conditions = ["kind = ?"]
        values: list[Any] = [kind.number]
        for field, column in kind.filters.items():
            value = getattr(request, field)
            if value:
                conditions.append(f"{column} = ?")
                values.append(value)
        fields = request.DESCRIPTOR.fields_by_name
        if "name_prefix" in fields and request.name_prefix:
            conditions.append("name_key BETWEEN ? AND ?")
            values += prefix_bounds(request.name_prefix)
        for field, sign in (("create_time_after", ">="), ("create_time_before", "<")):
            if field in fields and request.HasField(field):
                conditions.append(f"create_time {sign} ?")
                values.append(_microseconds(getattr(request, field)))
        order = request.order_by or DEFAULT_ORDER
        key = "name_key" if order == "name" else "create_time"
        descending = is_descending(order)
        if start is not None:
            conditions.append(f"({key}, id) {'<' if descending else '>'} (?, ?)")
            values += start
        direction = "DESC" if descending else "ASC"
        size = request.page_size or DEFAULT_PAGE_SIZE
        rows = self._connection.execute(
            f"SELECT message, {key}, id FROM resources WHERE {' AND '.join(conditions)} "  # noqa: S608 - of our own words
            f"ORDER BY {key} {direction}, id {direction} LIMIT ?",
            (*values, size + 1),
        ).fetchall()
        more = len(rows) > size
        rows = rows[:size]
        found = [kind.message.FromString(message) for message, _, _ in rows]
        return found, rows[-1][1:] if more else None

    def all(self, kind: Kind) -> Iterator[Message]:
        """Every resource of a kind, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT message FROM resources WHERE kind = ? ORDER BY id", (kind.number,)
        )
        return (kind.message.FromString(message) for (message,) in rows)


def is_descending(order: str) -> bool:
    """Whether a List request's order goes from high to low."""
    return (order or DEFAULT_ORDER).endswith(" desc")


def position_of(kind: Kind, order: str, resource: Any) -> Position:
    """Where a resource is in a list of its kind."""
    if order == "name":
        return name_key(kind.name_of(resource)), kind.id_of(resource)
    return _microseconds(resource.create_time), kind.id_of(resource)


def table_format() -> int:
    """A number that is another one whenever tables are made or filled in another way, so that
    who keeps one in a file can tell that it is of an older make.
    """
    columns = [(kind.number, sorted(kind.columns.items())) for kind in KINDS]
    return zlib.crc32(f"{_SCHEMA}{columns}".encode())


def _microseconds(time: Any) -> int:
    return int(time.seconds) * 1_000_000 + int(time.nanos) // 1000


def _page_token(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_page_token(token: str) -> Position:
    try:
        key, resource_id = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        key = resource_id = None
    if not isinstance(key, str | int) or not isinstance(resource_id, str):
        violation = Violation(
            field="page_token",
            rule="PAGE_TOKEN_INVALID",
            description="must be the next_page_token of this list, or empty",
        )
        raise ValidationFailed(
            str(violation),
            StatusDetails(reason="PAGE_TOKEN_INVALID", violations=(violation,)),
        )
    return key, resource_id
