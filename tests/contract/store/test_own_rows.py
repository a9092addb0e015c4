"""Who owns much in a project of its own pays for a page, and not for all that it owns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import listings, tables
from symphony_server.store.lists import DEFAULT_ORDER, GLANCE, Cursor
from tests.contract.store.plan_world import KINDS, OWNER, Engine, opened
from tests.engines import NewDatabase

SIZE = 3
OTHERS = 3 * GLANCE
"""So many rows of others for each of the owner's, so that a glance does not fill a page."""


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
    """An owner with a project and workflows in it, among those of others."""
    member: dict[str, Any] = {
        "project_id": "project_own",
        "user_id": OWNER,
        "role": ProjectRole.PROJECT_ROLE_OWNER,
        "create_time": 0,
    }
    workflows: list[dict[str, Any]] = [
        {
            "id": f"workflow_{n:06}",
            "project_id": f"project_{'own' if n % OTHERS == 0 else n}",
            "user_id": OWNER if n % OTHERS == 0 else "user_other",
            "name_key": f"n{n:06}",
            "spec": b"",
            "compute_units": 0,
            "estimated_duration": 0,
            "shared": False,
            "status": WorkflowStatus.WORKFLOW_STATUS_CREATED,
            "create_time": n,
            "update_time": n,
        }
        for n in range(owned * OTHERS)
    ]
    engine.fill(
        {
            table: [[row[column.name] for column in table._meta.sorted_fields] for row in rows]
            for table, rows in ((tables.ProjectMember, [member]), (tables.Workflow, workflows))
        }
    )


def page(engine: Engine, start: Cursor | None) -> tuple[int, list[Any]]:
    """The work for a page, and its rows."""
    with engine.counted() as work:
        found = engine.lists.page(
            listings.WORKFLOWS,
            {},
            order=DEFAULT_ORDER,
            size=SIZE,
            start=start,
            visible_to=OWNER,
        )
    return work[0], [row[0] for row in found.rows]


def test_a_page_from_the_middle_costs_no_more_where_ten_times_as_much_is_owned(
    engines: tuple[Engine, Engine],
) -> None:
    some, many = engines
    middle = Cursor(25 * OTHERS, f"workflow_{25 * OTHERS:06}")
    work, rows = page(some, middle)
    more_work, same_rows = page(many, middle)
    assert rows == same_rows == [f"workflow_{n * OTHERS:06}" for n in (24, 23, 22)]
    assert more_work <= 1.2 * work + some.spare_work

    last = Cursor(450 * OTHERS, f"workflow_{450 * OTHERS:06}")
    assert page(many, last)[0] <= 1.2 * work + some.spare_work
