"""Pages of lists by keyset: a page starts after the last (sort key, id) of the one before.

A `Listing` says what may be listed, filtered and ordered; each combination that is asked
for is compiled once. What the caller may not see is left out by the statement itself, so
that pages are full. There is no OFFSET and no COUNT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import Any

from peewee import SQL, Tuple, fn

from symphony.v1.project_pb2 import ProjectRole
from symphony_server.store import executions, extensions, projects, tokens, users, workflows
from symphony_server.store.statements import Compiler, Statement, param

DEFAULT_ORDER = "create_time desc"
MAX_PAGE_BYTES = 3 * 1024 * 1024
"""A page ends early rather than be larger: gRPC's clients take 4 MiB unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: by key, then by id, both in the same direction."""

    key: Any
    id: Any
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What may be listed, and how."""

    columns: Sequence[Any]
    filters: Mapping[str, Callable[[Any], Any]]
    """Filter name → the condition on its parameter."""
    orders: Mapping[str, Order]
    visible_to: Callable[[Any], Any] | None = None
    """The condition on the id of a user who may see only some; None where all or nothing
    may be seen."""
    either: Mapping[str, Callable[[Any], Sequence[Any]]] = field(default_factory=dict)
    """Filter name → the conditions of which a row meets one at most, each with an index of its
    own: their rows are merged in order."""
    default_order: str = DEFAULT_ORDER


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    key: str | int
    id: str | int


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with the listing's columns, and where to go on, or None at the end."""

    rows: list[Any]
    next: Cursor | None


def _between(column: Any, after: str, before: str) -> dict[str, Callable[[Any], Any]]:
    return {after: lambda p: column >= p, before: lambda p: column < p}


def _prefix(column: Any) -> dict[str, Callable[[Any], Any]]:
    return {"name_from": lambda p: column >= p, "name_to": lambda p: column < p}


def _by_time(table: Any, id_column: Any) -> dict[str, Order]:
    return {
        "create_time": Order(table.create_time, id_column),
        DEFAULT_ORDER: Order(table.create_time, id_column, descending=True),
    }


def _project_visible(user: Any) -> Any:
    member = projects.M
    return projects.T.id.in_(member.select(member.project_id).where(member.user_id == user))


def _workflow_visible(user: Any) -> Any:
    member, workflow = projects.M, workflows.T
    return (workflow.user_id == user) | fn.EXISTS(
        member.select(member.user_id).where(
            (member.project_id == workflow.project_id)
            & (member.user_id == user)
            & ((member.role == ProjectRole.PROJECT_ROLE_OWNER) | workflow.shared)
        )
    )


USERS = Listing(
    columns=users.COLUMNS,
    filters={
        "tier": lambda p: users.T.tier == p,
        "state": lambda p: users.T.state == p,
        **_prefix(users.T.name_key),
        **_between(users.T.create_time, "after", "before"),
    },
    orders={**_by_time(users.T, users.T.id), "name": Order(users.T.name_key, users.T.id)},
)
PROJECTS = Listing(
    columns=projects.COLUMNS,
    filters={
        "owner_id": lambda p: projects.T.owner_id == p,
        **_prefix(projects.T.name_key),
        **_between(projects.T.create_time, "after", "before"),
    },
    orders={
        **_by_time(projects.T, projects.T.id),
        "name": Order(projects.T.name_key, projects.T.id),
    },
    visible_to=_project_visible,
)
MEMBERS = Listing(
    columns=projects.MEMBER_COLUMNS,
    filters={
        "project_id": lambda p: projects.M.project_id == p,
        "role": lambda p: projects.M.role == p,
    },
    orders=_by_time(projects.M, projects.M.user_id),
)
WORKFLOWS = Listing(
    columns=workflows.COLUMNS,
    filters={
        "project_id": lambda p: workflows.T.project_id == p,
        "user_id": lambda p: workflows.T.user_id == p,
        "status": lambda p: workflows.T.status == p,
        **_prefix(workflows.T.name_key),
        **_between(workflows.T.create_time, "after", "before"),
    },
    orders={
        **_by_time(workflows.T, workflows.T.id),
        "name": Order(workflows.T.name_key, workflows.T.id),
    },
    visible_to=_workflow_visible,
)


def _execution_visible(user: Any) -> Any:
    workflow = workflows.T
    return fn.EXISTS(
        workflow.select(workflow.id).where(
            (workflow.id == executions.T.workflow_id) & _workflow_visible(user)
        )
    )


EXECUTIONS = Listing(
    columns=executions.COLUMNS,
    filters={
        "workflow_id": lambda p: executions.T.workflow_id == p,
        "project_id": lambda p: executions.T.project_id == p,
        "user_id": lambda p: executions.T.user_id == p,
        "state": lambda p: executions.T.state == p,
        **_between(executions.T.create_time, "after", "before"),
    },
    orders=_by_time(executions.T, executions.T.id),
    visible_to=_execution_visible,
)


def _extension_visible(user: Any) -> Any:
    member = projects.M
    return extensions.T.project_id.in_(
        member.select(member.project_id).where(member.user_id == user)
    )


EXTENSIONS = Listing(
    columns=extensions.COLUMNS,
    filters={
        "project_id": lambda p: extensions.T.project_id == p,
        "type": lambda p: extensions.T.type == p,
        "state": lambda p: extensions.T.state == p,
        **_prefix(extensions.T.name),
        **_between(extensions.T.create_time, "after", "before"),
    },
    orders={
        **_by_time(extensions.T, extensions.T.id),
        "name": Order(extensions.T.name, extensions.T.id),
    },
    visible_to=_extension_visible,
)
TOKENS = Listing(
    columns=tokens.COLUMNS,
    filters={"user_id": lambda p: tokens.T.user_id == p},
    orders=_by_time(tokens.T, tokens.T.id),
)


class Lists:
    """The list statements of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Start without statements; each is compiled when it is first asked for."""
        self._compiled = compiled
        self._statements: dict[tuple[object, ...], Statement] = {}

    def page(
        self,
        listing: Listing,
        filters: Mapping[str, str | int],
        *,
        order: str,
        size: int,
        start: Cursor | None,
        visible_to: str | None,
    ) -> Page:
        """At most `size` rows after `start`, fewer when they are large.

        `visible_to` is the user whose view it is, or None for one who sees everything.
        """
        shape = (id(listing), tuple(filters), order, start is None, visible_to is None)
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._compile(
                listing, tuple(filters), order, start is not None, visible_to is not None
            )
            self._statements[shape] = statement
        values: list[str | int] = list(filters.values())
        if start is not None:
            values += [start.key, start.id]
        if visible_to is not None:
            values.append(visible_to)
        # One row more than asked for tells whether there is a next page.
        rows = statement(*values, size + 1)
        # The sort key and id follow the listing's columns.
        end = len(listing.columns)
        found: list[Any] = []
        last: Cursor | None = None
        room = MAX_PAGE_BYTES
        while (row := rows.fetchone()) is not None:
            room -= sum(len(value) for value in row if isinstance(value, bytes | str))
            if len(found) == size or (room < 0 and found):
                rows.close()
                return Page(found, last)
            found.append(row[:end])
            last = Cursor(*row[end:])
        return Page(found, None)

    def _compile(
        self, listing: Listing, filters: tuple[str, ...], order: str, starts: bool, viewed: bool
    ) -> Statement:
        by = listing.orders[order]
        names = list(filters)
        query = listing.columns[0].model.select(*listing.columns, by.key, by.id)
        conditions = [
            listing.filters[name](param(name)) for name in filters if name not in listing.either
        ]
        if starts:
            here, there = Tuple(by.key, by.id), Tuple(param("key"), param("id"))
            conditions.append(here < there if by.descending else here > there)
            names += ["key", "id"]
        if viewed:
            if listing.visible_to is None:
                raise ValueError("this listing has no notion of who may see what")
            conditions.append(listing.visible_to(param("viewer")))
            names.append("viewer")
        ways = product(*(listing.either[n](param(n)) for n in filters if n in listing.either))
        merged = reduce(
            lambda one, other: one.union_all(other),
            [_where(query, [*conditions, *way]) for way in ways],
        )
        # By number: a column of merged rows has no other name.
        key = len(listing.columns) + 1
        direction = " DESC" if by.descending else ""
        sort = (SQL(f"{key}{direction}"), SQL(f"{key + 1}{direction}"))
        return self._compiled(merged.order_by(*sort).limit(param("size")), *names, "size")


def _where(query: Any, conditions: Sequence[Any]) -> Any:
    return query.where(*conditions) if conditions else query
