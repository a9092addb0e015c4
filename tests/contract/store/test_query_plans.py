"""Every list is served by indexes: what a page costs does not depend on what is not in it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from symphony.v1 import (
    access_service_pb2,
    audit_service_pb2,
    execution_service_pb2,
    extension_service_pb2,
    project_service_pb2,
    user_service_pb2,
    workflow_service_pb2,
)
from symphony_server.store.lists import Cursor, Page, looks
from tests.contract.store.plan_world import (
    ALWAYS,
    KINDS,
    LISTINGS,
    MEMBER,
    OF_THE_FEED,
    OWNER,
    STRANGER,
    WANTED,
    WANTED_ROWS,
    Engine,
    Filters,
    filled,
)
from tests.engines import NewDatabase

OTHERS, MANY_OTHERS = 300, 3000
PAGE_SIZE = 3

REQUESTS: dict[str, Any] = {
    "users": user_service_pb2.ListUsersRequest,
    "projects": project_service_pb2.ListProjectsRequest,
    "members": project_service_pb2.ListProjectMembersRequest,
    "workflows": workflow_service_pb2.ListWorkflowsRequest,
    "executions": execution_service_pb2.ListExecutionsRequest,
    "extensions": extension_service_pb2.ListExtensionsRequest,
    "tokens": access_service_pb2.ListTokensRequest,
    "audit": audit_service_pb2.ListAuditRecordsRequest,
}
"""Listing → the request that the contract has for it."""

TIMES = frozenset({"after", "before"})
MOST_ROWS = frozenset({"status", "outcome"})
"""Filters with a value that nearly all rows have: in order, a page of them is soon full. What is
rare among their values has an index of its own."""


@dataclass(frozen=True)
class Shape:
    """What may be asked of a listing, but for the values."""

    listing: str
    filters: tuple[str, ...]
    order: str

    def __str__(self) -> str:
        return f"{self.listing} by {'+'.join(self.filters) or 'nothing'} in order of {self.order}"

    @property
    def values(self) -> Filters:
        found: Filters = {}
        for name in self.filters:
            found |= WANTED[self.listing][name]
        return found

    @property
    def bounded_across_the_order(self) -> bool:
        """A range of one column in the order of another, which no single index can serve."""
        if self.order == "name":
            return not TIMES.isdisjoint(self.filters)
        return "name_prefix" in self.filters

    @property
    def is_glanced_at(self) -> bool:
        """A viewer may see enough of what comes first, which costs no more than to look."""
        return looks(LISTINGS[self.listing], tuple(self.values), self.order)

    @property
    def any_order_will_do(self) -> bool:
        """Nothing is left out, or by times on one side only, which is no more than half."""
        rest = set(self.filters) - MOST_ROWS
        return not rest or (self.order == "name" and len(rest) == 1 and rest <= TIMES)


def shapes() -> Iterator[Shape]:
    """Every filter, every two filters, and none, in every order."""
    for listing in LISTINGS:
        always = [ALWAYS[listing]] if listing in ALWAYS else []
        others = [name for name in WANTED[listing] if name not in always]
        for count in range(3):
            for chosen in itertools.combinations(others, count):
                for order in LISTINGS[listing].orders:
                    yield Shape(listing, (*always, *chosen), order)


SHAPES = list(shapes())


@pytest.fixture(scope="module", params=KINDS)
def engines(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: NewDatabase,
) -> Iterator[tuple[Engine, Engine]]:
    """Two databases of a kind: with ten times as many rows that nobody asks for in the second."""
    kind = request.param
    some, many = (new_database(kind, tmp_path_factory.mktemp(kind)) for _ in range(2))
    with filled(kind, some, OTHERS) as one, filled(kind, many, MANY_OTHERS) as other:
        yield one, other


@pytest.mark.parametrize("listing", LISTINGS)
def test_the_filters_are_those_of_the_contract(listing: str) -> None:
    fields = {field.name for field in REQUESTS[listing].DESCRIPTOR.fields}
    filters = fields - {"order_by", "page_size", "page_token"}
    filters |= OF_THE_FEED.get(listing, set())
    wanted = {name.removeprefix("create_").removeprefix("time_") for name in filters}
    assert wanted == set(WANTED[listing])
    of_store = {name for values in WANTED[listing].values() for name in values}
    assert of_store == set(LISTINGS[listing].filters) | set(LISTINGS[listing].either)


def faults(plan: list[str], shape: Shape, *, viewed: bool) -> list[str]:
    """The steps of a plan that its shape does not excuse.

    A `SCAN` of a table is excused by nothing; one in the order of an index only where all rows
    are asked for, or nearly all. Rows are sorted only where they come together from several
    projects, or where the bounds are on another column than the order.
    """
    found = []
    for step in plan:
        if step.startswith("SCAN ") and step != "SCAN page":
            in_order = " USING " in step
            if not in_order or viewed or not shape.any_order_will_do:
                found.append(step)
        excused = viewed or shape.bounded_across_the_order
        if "TEMP B-TREE" in step and not excused:
            found.append(step)
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_page_is_found_by_index(engines: tuple[Engine, Engine], shape: Shape) -> None:
    listing = LISTINGS[shape.listing]
    names = tuple(shape.values)
    for starts, viewed in itertools.product((False, True), repeat=2):
        if viewed and listing.visible_to is None:
            continue
        plan = engines[0].plan(listing, names, shape.order, starts=starts, viewed=viewed)
        assert not faults(plan, shape, viewed=viewed), plan


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.is_glanced_at], ids=str)
def test_a_glance_reads_what_comes_first_and_sorts_nothing_else(
    engines: tuple[Engine, Engine], shape: Shape
) -> None:
    for starts in (False, True):
        plan = engines[0].plan(
            LISTINGS[shape.listing],
            tuple(shape.values),
            shape.order,
            starts=starts,
            viewed=True,
            glance=True,
        )
        # The one sort, if any, and last, is that of the few rows that were found.
        assert [step for step in plan if "TEMP B-TREE" in step] in (plan[-1:], []), plan
        assert not [step for step in plan if re.fullmatch(r"SCAN (?!page)\w+", step)], plan


def viewers(shape: Shape) -> list[str | None]:
    everything: list[str | None] = [None]
    if LISTINGS[shape.listing].visible_to is None:
        return everything
    return [*everything, OWNER, MEMBER, STRANGER]


def two_pages(engine: Engine, shape: Shape, viewer: str | None) -> tuple[int, list[Page]]:
    """The work of the first two pages, and what they hold."""
    pages: list[Page] = []
    start: Cursor | None = None
    with engine.counted() as work:
        for _ in range(2):
            page = engine.lists.page(
                LISTINGS[shape.listing],
                shape.values,
                order=shape.order,
                size=PAGE_SIZE,
                start=start,
                visible_to=viewer,
            )
            pages.append(page)
            start = page.next
            if start is None:
                break
    return work[0], pages


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ten_times_as_many_other_rows_do_not_make_a_page_dearer(
    engines: tuple[Engine, Engine], shape: Shape
) -> None:
    for viewer in viewers(shape):
        if viewer is None and shape.any_order_will_do and shape.bounded_across_the_order:
            continue  # half of the other rows are asked for, and sorted
        some, some_pages = two_pages(engines[0], shape, viewer)
        many, many_pages = two_pages(engines[1], shape, viewer)
        seen = [len(page.rows) for page in some_pages]
        assert seen == [len(page.rows) for page in many_pages]
        assert seen == ([0] if viewer == STRANGER else [PAGE_SIZE, PAGE_SIZE]), viewer
        assert many <= 1.2 * some + engines[0].spare_work, viewer


@pytest.mark.parametrize("listing", LISTINGS)
def test_all_filters_together_leave_what_is_wanted(
    engines: tuple[Engine, Engine], listing: str
) -> None:
    shape = Shape(listing, tuple(WANTED[listing]), next(iter(LISTINGS[listing].orders)))
    for viewer in viewers(shape):
        page = engines[1].lists.page(
            LISTINGS[listing],
            shape.values,
            order=shape.order,
            size=100,
            start=None,
            visible_to=viewer,
        )
        assert len(page.rows) == (0 if viewer == STRANGER else WANTED_ROWS)


def test_what_a_viewer_sees_of_a_whole_table_is_glanced_at_first() -> None:
    by_nothing = {s.listing for s in SHAPES if s.is_glanced_at and not s.filters}
    assert by_nothing == {"workflows", "executions"}
    assert Shape("executions", ("state",), "create_time").is_glanced_at
    assert not Shape("executions", ("workflow_id",), "create_time").is_glanced_at
    assert Shape("workflows", ("name_prefix",), "name").is_glanced_at
    assert not Shape("workflows", ("name_prefix",), "create_time").is_glanced_at


def test_a_scan_and_a_sort_are_told_where_nothing_excuses_them() -> None:
    by_tier = Shape("users", ("tier",), "name")
    assert faults(["SCAN t1 USING INDEX users_name_key_id"], by_tier, viewed=False)
    assert faults(["SEARCH t1 (tier=?)", "USE TEMP B-TREE FOR ORDER BY"], by_tier, viewed=False)
    everything = Shape("users", (), "name")
    assert faults(["SCAN t1"], everything, viewed=False)
    assert not faults(["SCAN t1 USING INDEX users_name_key_id"], everything, viewed=False)
    assert faults(["SCAN t1 USING INDEX users_name_key_id"], everything, viewed=True)
