"""A page costs what it holds, and not all that its viewer owns, or that others keep from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import listings, lists, tables
from symphony_server.store.lists import DEFAULT_ORDER, GLANCE, Cursor
from tests.contract.store.plan_world import KINDS, MEMBER, OWNER, Engine, opened
from tests.engines import NewDatabase

SIZE = 3
OTHERS = 3 * GLANCE
"""So many rows of others for each of the owner's, so that a glance does not fill a page."""
SHARED = 2 * SIZE
"""So many of the owner's are shared, and no others."""
ORDERS = ("name", DEFAULT_ORDER)


@pytest.fixture(params=KINDS)
def engines(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: NewDatabase
) -> Iterator[tuple[Engine, Engine]]:
    """Two databases: in the second the owner has ten times as much."""
    kind = request.param
    with (
        opened(kind, new_database(kind, tmp_path / "some")) as some,
        opened(kind, new_database(kind, tmp_path / "many")) as many,
    ):
        fill(some, 50)
        fill(many, 500)
        yield some, many


def fill(engine: Engine, owned: int) -> None:
    """An owner with workflows in a project that has another member, among those of others."""
    members: list[dict[str, Any]] = [
        {"project_id": "project_own", "user_id": user, "role": role, "create_time": 0}
        for user, role in (
            (OWNER, ProjectRole.PROJECT_ROLE_OWNER),
            (MEMBER, ProjectRole.PROJECT_ROLE_COLLABORATOR),
        )
    ]
    workflows: list[dict[str, Any]] = [
        {
            "id": f"workflow_{n:06}",
            "project_id": f"project_{'own' if n % OTHERS == 0 else n}",
            "user_id": OWNER if n % OTHERS == 0 else "user_other",
            "name_key": f"n{n:06}",
            "spec": b"",
            "compute_units": 0,
            "estimated_duration": 0,
            "shared": n % OTHERS == 0 and n // OTHERS < SHARED,
            "status": WorkflowStatus.WORKFLOW_STATUS_CREATED,
            "create_time": n,
            "update_time": n,
        }
        for n in range(owned * OTHERS)
    ]
    engine.fill(
        {
            table: [[row[column.name] for column in table._meta.sorted_fields] for row in rows]
            for table, rows in ((tables.ProjectMember, members), (tables.Workflow, workflows))
        }
    )


def page(
    engine: Engine, user: str, order: str, start: Cursor | None = None
) -> tuple[int, list[Any]]:
    """The work for a page, and its rows."""
    with engine.counted() as work:
        found = engine.lists.page(
            listings.WORKFLOWS, {}, order=order, size=SIZE, start=start, visible_to=user
        )
    return work[0], [row[0] for row in found.rows]


def cursor(order: str, number: int) -> Cursor:
    """Where the owner's workflow of this number stands in order."""
    n = number * OTHERS
    return Cursor(f"n{n:06}" if order == "name" else n, workflow(number))


def workflow(number: int) -> str:
    """The id of the owner's workflow of this number."""
    return f"workflow_{number * OTHERS:06}"


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_from_the_middle_costs_no_more_where_ten_times_as_much_is_owned(
    engines: tuple[Engine, Engine], order: str
) -> None:
    some, many = engines
    middle = cursor(order, 25)
    work, rows = page(some, OWNER, order, middle)
    more_work, same_rows = page(many, OWNER, order, middle)
    following = (26, 27, 28) if order == "name" else (24, 23, 22)
    assert rows == same_rows == [workflow(number) for number in following]
    assert more_work <= 1.2 * work + some.spare_work
    assert page(many, OWNER, order, cursor(order, 450))[0] <= 1.2 * work + some.spare_work


def test_what_comes_first_is_not_glanced_at_for_who_is_in_few_projects(
    engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    some, _ = engines
    work, rows = page(some, OWNER, "name")
    monkeypatch.setattr(lists, "FEW", 0)
    more_work, same_rows = page(some, OWNER, "name")
    assert rows == same_rows == [workflow(number) for number in range(SIZE)]
    assert work < more_work


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_shared_costs_no_more_where_ten_times_as_much_is_not(
    engines: tuple[Engine, Engine], order: str
) -> None:
    some, many = engines
    work, rows = page(some, MEMBER, order)
    more_work, same_rows = page(many, MEMBER, order)
    shared = range(SIZE) if order == "name" else range(SHARED - 1, SHARED - 1 - SIZE, -1)
    assert rows == same_rows == [workflow(number) for number in shared]
    assert more_work <= 1.2 * work + some.spare_work
