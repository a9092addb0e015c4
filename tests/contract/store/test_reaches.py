"""What a user sees in a list is the same whichever way its rows are found."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import lists, tables
from symphony_server.store.listings import EXECUTIONS, WORKFLOWS
from symphony_server.store.lists import Cursor, Listing
from tests import engines
from tests.contract.store.plan_world import Engine, Filters, opened
from tests.postgresql import Postgresql

USERS = [f"user_{n}" for n in range(6)]
PROJECTS = [f"project_{n}" for n in range(4)]
WORKFLOW_COUNT, EXECUTION_COUNT = 60, 120

QUERIES: list[tuple[Listing, Filters]] = [
    (WORKFLOWS, {}),
    (WORKFLOWS, {"status": WorkflowStatus.WORKFLOW_STATUS_CREATED}),
    (WORKFLOWS, {"status": WorkflowStatus.WORKFLOW_STATUS_ARCHIVED}),
    (WORKFLOWS, {"name_from": "1", "name_to": "4"}),
    (WORKFLOWS, {"after": 2, "before": 8}),
    (EXECUTIONS, {}),
    (EXECUTIONS, {"state": ExecutionState.EXECUTION_STATE_FAILED}),
    (EXECUTIONS, {"after": 3}),
]

PLAIN = {of.visible_to: dataclasses.replace(of, reaches=None) for of in (WORKFLOWS, EXECUTIONS)}
"""The same listings, found by looking at every row."""


def fill_at_random(engine: Engine, seed: int) -> None:
    """People with all kinds of relations to projects with all kinds of workflows."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    members = [
        (project, user, chance.choice(ProjectRole.values()[1:]), 0)
        for project in PROJECTS
        for user in USERS
        if chance.random() < 0.5
    ]
    workflows: list[Any] = []
    for n in range(WORKFLOW_COUNT):
        project, owner = chance.choice(PROJECTS), chance.choice(USERS)
        status = chance.choice(WorkflowStatus.values()[1:])
        # Few moments and few names, so that ids decide the order of many.
        name, moment = f"{chance.randrange(6)}{n}", chance.randrange(10)
        shared = chance.random() < 0.4
        row = (f"workflow_{n:02}", project, owner, name, b"", 0, 0, shared, status, moment, moment)
        workflows.append(row)
    executions = []
    for n in range(EXECUTION_COUNT):
        workflow = chance.choice(workflows)
        state = chance.choice(ExecutionState.values()[1:])
        ids = (f"execution_{n:03}", workflow[0], workflow[1], chance.choice(USERS))
        moment = chance.randrange(10)
        executions.append((*ids, state, b"", "", moment, moment, 0, 0))
    engine.fill(
        {
            tables.ProjectMember: members,
            tables.Workflow: workflows,
            tables.Execution: executions,
        }
    )


def all_rows(
    engine: Engine, listing: Listing, filters: Filters, order: str, size: int, viewer: str
) -> list[Any]:
    found: list[Any] = []
    start: Cursor | None = None
    while True:
        page = engine.lists.page(
            listing, filters, order=order, size=size, start=start, visible_to=viewer
        )
        found += page.rows
        start = page.next
        if start is None:
            return found
        assert len(page.rows) == size


@pytest.fixture(params=["glancing", "at once"], autouse=True)
def _whether_to_glance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "FEW", 0 if request.param == "glancing" else WORKFLOW_COUNT)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_rows_reached_are_those_that_are_visible_in_the_same_order(
    database_url: str, seed: int, size: int
) -> None:
    with opened(engines.SQLITE, database_url) as database:
        fill_at_random(database, seed)
        hold_every_page_against_all_rows(database, size)


def test_they_are_on_postgresql_too(postgresql: Postgresql) -> None:
    with postgresql.migrated() as url, opened(engines.POSTGRESQL, url) as database:
        fill_at_random(database, seed=0)
        for size in (7, 1000):
            hold_every_page_against_all_rows(database, size)


def hold_every_page_against_all_rows(engine: Engine, size: int) -> None:
    seen = 0
    for listing, filters in QUERIES:
        for order in listing.orders:
            for viewer in [*USERS, "user_of_another_place"]:
                reached = all_rows(engine, listing, filters, order, size, viewer)
                assert reached == all_rows(
                    engine, PLAIN[listing.visible_to], filters, order, 1000, viewer
                )
                seen += len(reached)
    assert seen > 1000
