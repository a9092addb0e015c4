"""Lists over many pages."""

from __future__ import annotations

import pytest

from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import ListUsersRequest, ListUsersResponse
from symphony_command.listing import Listing
from tests.command.terminal import Terminal
from tests.server.extension_requests import manifest, new
from tests.server.world import World

KNOWN = [User(name=str(number)) for number in range(2500)]


class Pages:
    """A List method of which the requests are kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def __call__(self, request: ListUsersRequest) -> ListUsersResponse:
        self.asked.append((request.page_size, request.page_token))
        start = int(request.page_token or 0)
        end = start + request.page_size
        return ListUsersResponse(
            users=KNOWN[start:end], next_page_token=str(end) if end < len(KNOWN) else ""
        )


@pytest.mark.parametrize(
    ("limit", "asked", "more"),
    [
        (0, [(1000, ""), (1000, "1000"), (1000, "2000")], False),
        (1, [(1, "")], True),
        (1500, [(1000, ""), (500, "1000")], True),
        (2500, [(1000, ""), (1000, "1000"), (500, "2000")], False),
        (9999, [(1000, ""), (1000, "1000"), (1000, "2000")], False),
    ],
)
def test_no_more_is_asked_for_than_is_shown(
    limit: int, asked: list[tuple[int, str]], more: bool
) -> None:
    pages = Pages()
    listing = Listing(pages, ListUsersRequest(), "users", limit=limit)
    assert [one.name for one in listing] == [one.name for one in KNOWN[: limit or None]]
    assert pages.asked == asked
    assert listing.more == more


LISTS = {
    "projects list": "projects list --name-prefix nothing",
    "projects members list Listed": "projects members list Listed --role viewer",
    "workflows list": "workflows list --name-prefix nothing",
    "users list": "users list --name-prefix nothing",
    "executions list": "executions list --state failed",
    "extensions list": "extensions list --name-prefix nothing",
    "audit list": "audit list --method DeleteProject",
}
"""Each list, of two at least, and one of nothing."""


@pytest.fixture(scope="module")
def two_of_each(world: World) -> None:
    """Two of everything that is listed."""
    for name in ("Listed", "Listed too"):
        project = world.project(world.admin, name=name)
        workflow = world.workflow(world.admin, project)
        world.admin.get(
            world.admin.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
        )
        world.admin.get(world.admin.extensions.InstallExtension, new(project, manifest()))
        world.join(project, world.user(), ProjectRole.PROJECT_ROLE_COLLABORATOR)


@pytest.mark.usefixtures("two_of_each")
@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("command", LISTS)
def test_what_a_list_leaves_out_is_said_beside_it_in_every_form(
    terminal: Terminal, command: str, form: str
) -> None:
    whole = terminal.run(*command.split(), "--limit", "0", "-o", "json")
    assert (len(whole.json) >= 2, whole.err) == (True, "")
    some = terminal.run(*command.split(), "--limit", "1", "-o", form)
    assert some.code == 0
    assert some.err.startswith("There are more ")
    assert "There are" not in some.out
    if form == "json":
        assert some.json == whole.json[:1]


@pytest.mark.parametrize("command", LISTS.values())
@pytest.mark.usefixtures("two_of_each")
def test_a_list_of_nothing_says_so_to_people(terminal: Terminal, command: str) -> None:
    shown = terminal.run(*command.split())
    assert (shown.code, shown.out) == (0, "")
    assert shown.err.startswith("There are no ")
    assert terminal.run(*command.split(), "-o", "json").json == []


def test_runs_are_not_filtered_by_their_project_alone(terminal: Terminal) -> None:
    shown = terminal.run("executions", "list", "--project", "Listed")
    assert (shown.code, "--workflow" in shown.err) == (2, True)
