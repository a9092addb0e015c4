"""Pages of lists by keyset: a page starts after the last (sort key, id) of the one before.

A `Listing` says what may be listed, filtered and ordered (`listings.py` has them); each
combination that is asked for is compiled once. What the caller may not see is left out by
the statement itself, so that pages are full. There is no OFFSET and no COUNT.

A page costs what the page holds, not what the table does: no statement reads rows that the
viewer may not see until it has found enough of those that it may (`Reach`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import Any, Final

from peewee import JOIN, OP, SQL, Select, Tuple

from symphony_server.store.statements import Compiler, Statement, param

DEFAULT_ORDER: Final = "create_time desc"
MAX_PAGE_BYTES: Final = 3 * 1024 * 1024
"""A page ends early rather than be larger: gRPC's clients take 4 MiB unless told otherwise."""
GLANCE: Final = 8
"""As many times a page is looked at for rows that the viewer may see before they are reached
for: who sees an eighth of everything needs no more, and others hardly notice."""
FEW: Final = GLANCE
"""Rows that a viewer may see by way of so few others are reached for at once: a page for each of
the others costs no more than the glance does."""
_BOUNDS: Final = (2, 4, 11, 26, 51, 101, 201, 501, 1001)
"""How many rows PostgreSQL is told are wanted at most, when nothing else is known of them: pages of
50 rows, of 100 and so on, and one more. So few numbers, for each makes a statement of its own."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: by key, then by id, both in the same direction."""

    key: Any
    id: Any
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Rows that a user may see by way of others: of a project, of a workflow.

    The first rows of a page are looked up for each of the others, and then merged. Where those
    are many, a glance at what comes first may serve, for their viewer may see much of everything.
    """

    through: Any
    """The other rows' table, or None where the rows are the user's own."""
    which: Any
    """The condition on the other rows."""
    rows: Any
    """The condition on the rows themselves, for each of the others."""


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
    reaches: Callable[[Any], Sequence[Reach]] | None = None
    """The same rows as `visible_to` leaves, found from the id of the user. A row may be found by
    several, for to leave those out that another finds could be to read past all there are. For
    tables of which most users see next to nothing."""
    narrow: frozenset[str] = frozenset()
    """The filters that leave so few rows that each may be held against everything else."""
    coarse: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Filter name → its condition put so that no index serves it, for filters that most rows
    may meet: SQLite, which keeps no statistics of ours, else takes their index instead of one
    that leaves a few rows."""
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


class Lists:
    """The list statements of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Start without statements; each is compiled when it is first asked for."""
        self._compiled = compiled
        self._statements: dict[tuple[object, ...], list[Statement]] = {}
        self._others: dict[int, list[Statement]] = {}

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
        most = None
        if visible_to is not None and not filters and self._compiled.session.bounds_parts:
            # It then plans once. As a parameter the number is not known beforehand, for which it
            # expects a tenth of all rows, and plans every time anew: 340 µs of 660 at a million.
            # Filters are another matter: what is best for them depends on what they ask for.
            most = next((bound for bound in _BOUNDS if bound > size), None)
        shape = (id(listing), tuple(filters), order, start is None, visible_to is None, most)
        statements = self._statements.get(shape)
        if statements is None:
            starts, viewed = start is not None, visible_to is not None
            ways = [True, False] if viewed and looks(listing, filters, order) else [False]
            statements = self._statements[shape] = [
                self._compile(
                    listing,
                    tuple(filters),
                    order,
                    starts=starts,
                    viewed=viewed,
                    glance=glance,
                    most=most,
                )
                for glance in ways
            ]
        values: list[str | int] = list(filters.values())
        if start is not None:
            values += [start.key, start.id]
        if visible_to is not None:
            values.append(visible_to)
        # One row more than asked for tells whether there is a next page.
        if len(statements) > 1 and self._reaches_through_many(listing, visible_to):
            glance = () if most else (GLANCE * (size + 1),)
            page = _read(listing, statements[0](*values, *glance, size + 1), size)
            if page.next is not None:
                return page
        return _read(listing, statements[-1](*values, size + 1), size)

    def _reaches_through_many(self, listing: Listing, viewer: str | None) -> bool:
        """True when a glance costs less than to reach for a page through all of the others."""
        statements = self._others.get(id(listing))
        if statements is None:
            reaches = listing.reaches(param("viewer")) if listing.reaches else ()
            statements = self._others[id(listing)] = [
                self._compiled(
                    reach.through.select(SQL("1")).where(reach.which).limit(param("most")),
                    "viewer",
                    "most",
                )
                for reach in reaches
                if reach.through is not None
            ]
        others = 0
        for statement in statements:
            others += len(statement(viewer, FEW + 1 - others).fetchall())
            if others > FEW:
                return True
        return False

    def _compile(
        self,
        listing: Listing,
        filters: tuple[str, ...],
        order: str,
        *,
        starts: bool,
        viewed: bool,
        glance: bool = False,
        most: int | None = None,
    ) -> Statement:
        """The statement of a page, whose parts are bounded as it is, or by `most`."""
        size = SQL(str(most)) if most else param("size")
        by = listing.orders[order]
        names = list(filters)
        few = not glance and (viewed or not listing.narrow.isdisjoint(filters))
        known = {**listing.filters, **listing.coarse} if few else listing.filters
        conditions = [known[name](param(name)) for name in filters if name not in listing.either]
        if starts:
            here, there = Tuple(by.key, by.id), Tuple(param("key"), param("id"))
            conditions.append(here < there if by.descending else here > there)
            names += ["key", "id"]
        ways = [
            [*conditions, *way]
            for way in product(
                *(listing.either[n](param(n)) for n in filters if n in listing.either)
            )
        ]
        # By number: a column of merged rows has no other name.
        key = len(listing.columns) + 1
        bounds = self._compiled.session.bounds_parts
        if not viewed:
            merged = _merged([_rows(listing, by, way) for way in ways], by, key, size, bounds)
        else:
            names.append("viewer")
            if listing.visible_to is None:
                raise ValueError("this listing has no notion of who may see what")
            visible = listing.visible_to(param("viewer"))
            if glance:
                first = SQL(str(GLANCE * most)) if most else param("glance")
                if not most:
                    names.append("glance")
                found = _merged([_keys(by, way) for way in ways], by, 1, first, bounds)
                merged = _rows(listing, by, [_is_first(found, by, first), visible])
            elif listing.reaches is None or not listing.narrow.isdisjoint(filters):
                seen = [_rows(listing, by, [*way, visible]) for way in ways]
                merged = _merged(seen, by, key, size, bounds)
            else:
                reaches = listing.reaches(param("viewer"))
                parts = [
                    _reached(by, way, reach, size, bounds) for way in ways for reach in reaches
                ]
                found = _merged(parts, by, 1, size, bounds, twice=True)
                merged = _rows(listing, by, [_is_first(found, by, size)])
        return self._compiled(_first(merged, by, key, param("size")), *names, "size")


def looks(listing: Listing, filters: Collection[str], order: str) -> bool:
    """True when it is worth a glance whether a user sees much of what comes first anyway: not
    where few rows are left to look at, nor where they would have to be sorted first.
    """
    if listing.reaches is None or not listing.narrow.isdisjoint(filters):
        return False
    conditions = [listing.filters[name](param(name)) for name in filters if name in listing.filters]
    return all(c.op == OP.EQ or c.lhs is listing.orders[order].key for c in conditions)


def _read(listing: Listing, rows: Any, size: int) -> Page:
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


def _rows(listing: Listing, by: Order, conditions: Sequence[Any]) -> Any:
    """The rows that meet all conditions, with what they are sorted by."""
    query = by.id.model.select(*listing.columns, by.key, by.id)
    return query.where(*conditions) if conditions else query


def _keys(by: Order, conditions: Sequence[Any]) -> Any:
    """The sort keys and ids of the rows that meet all conditions."""
    query = by.id.model.select(by.key.alias("key"), by.id.alias("id"))
    return query.where(*conditions) if conditions else query


def _reached(by: Order, conditions: Sequence[Any], reach: Reach, count: Any, bounds: bool) -> Any:
    """The sort keys and ids of the first rows that meet all conditions, in one reach."""
    if reach.through is None:
        return _keys(by, [*conditions, reach.rows])
    rows = (*conditions, reach.rows)
    if bounds:
        first = _first(_keys(by, rows), by, 1, count).alias("first")
        found = reach.through.select(SQL("first.key").alias("key"), SQL("first.id").alias("id"))
        return found.join(first, JOIN.LATERAL).where(reach.which)
    # SQLite looks the ids of an IN up; PostgreSQL would hold every row against them.
    table = by.id.model
    outer = table.alias()
    first = table.select(by.id).where(*rows)
    if by.descending:
        first = first.order_by(by.key.desc(), by.id.desc())
    else:
        first = first.order_by(by.key, by.id)
    return (
        outer.select(
            getattr(outer, by.key.name).alias("key"), getattr(outer, by.id.name).alias("id")
        )
        .from_(reach.through, outer)
        .where(reach.which & getattr(outer, by.id.name).in_(first.limit(count)))
    )


def _is_first(found: Any, by: Order, count: Any) -> Any:
    """The condition that a row is one of the first of those found, as many as `count` says."""
    page = _first(found, by, 1, count).alias("page")
    return by.id.in_(Select([page], [SQL("page.id")]))


def _merged(
    queries: Sequence[Any], by: Order, key: int, count: Any, bounds: bool, *, twice: bool = False
) -> Any:
    """The rows of all the queries, of which no more are wanted than `count` says; once each where
    some may be found `twice`. SQLite merges them as they come; elsewhere each is bounded by itself,
    so that it is not read to its end.
    """
    if bounds and len(queries) > 1:
        queries = [_first(query, by, key, count) for query in queries]
    if twice:
        return reduce(lambda one, other: one.union(other), queries)
    return reduce(lambda one, other: one.union_all(other), queries)


def _first(query: Any, by: Order, key: int, count: Any) -> Any:
    """The first rows in order, as many as `count` says; `key` is the number of the column with
    the sort key, the id follows.
    """
    direction = " DESC" if by.descending else ""
    sort = (SQL(f"{key}{direction}"), SQL(f"{key + 1}{direction}"))
    return query.order_by(*sort).limit(count)
