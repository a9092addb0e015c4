"""`symphony projects` against a real server."""

from __future__ import annotations

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import (
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
)
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World


def test_a_project_is_made_with_its_constraints(world: World, terminal: Terminal) -> None:
    made = terminal.run(
        *("projects", "create", "Constrained", "--description", "For small things"),
        *("--max-steps", "5", "--max-workflows", "2", "--max-duration", "90m", "-o", "json"),
    ).json
    kept = world.admin.get(world.admin.projects.GetProject, GetProjectRequest(id=made["id"]))
    assert made == contract_json(kept)
    assert kept.constraints.max_steps_per_workflow == 5
    assert kept.constraints.max_estimated_duration.seconds == 5400
    shown = terminal.run("projects", "get", "Constrained")
    assert "Max duration 1 h 30 min" in shown.text
    assert made["id"] in shown.out


def test_only_what_is_given_of_a_project_changes(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin, name="Before", description="kept")
    assert terminal.run("projects", "update", "Before", "--name", "After").code == 0
    assert terminal.run("projects", "update", project.id, "--max-steps", "7").code == 0
    kept = world.admin.get(world.admin.projects.GetProject, GetProjectRequest(id=project.id))
    assert (kept.name, kept.description) == ("After", "kept")
    assert kept.constraints.max_steps_per_workflow == 7
    assert terminal.run("projects", "update", project.id, "--max-steps", "0").code == 0
    assert "Max steps no constraint" in terminal.run("projects", "get", project.id).text
    assert terminal.run("projects", "update", project.id).code == 2


def test_a_list_of_projects_is_what_the_stub_returns(world: World, terminal: Terminal) -> None:
    owner = world.user()
    for name in ("One", "Two", "Three"):
        world.project(owner, name=name, description="words " * 30)
    mine = terminal.of(owner)
    answer = owner.get(owner.projects.ListProjects, ListProjectsRequest(owner_id=owner.id))
    expected = [contract_json(one) for one in answer.projects]
    assert mine.run("projects", "list", "--owner", "me", "-o", "json").json == expected
    table = mine.run("projects", "list").out
    assert all(one.id in table for one in answer.projects)
    assert max(map(len, table.splitlines())) <= COLUMNS


def test_an_empty_list_says_so_and_is_an_empty_array_in_json(
    world: World, terminal: Terminal
) -> None:
    mine = terminal.of(world.user())
    assert "There are no projects to show." in mine.run("projects", "list").err
    assert mine.run("projects", "list", "-o", "json").json == []


def test_members_come_change_and_go(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin, name="Shared")
    person = world.user()
    role = ("--role", "collaborator")
    added = terminal.run("projects", "members", "add", "Shared", person.user.email, *role)
    assert added.text == f"{person.id} is collaborator"
    changed = terminal.run("projects", "members", "set", "Shared", person.id, "--role", "owner")
    assert changed.text == f"{person.id} is owner"
    listed = terminal.run("projects", "members", "list", project.id, "-o", "json").json
    asked = ListProjectMembersRequest(project_id=project.id)
    answer = world.admin.get(world.admin.projects.ListProjectMembers, asked)
    assert listed == [contract_json(one) for one in answer.members]
    assert {one.role for one in answer.members} == {ProjectRole.PROJECT_ROLE_OWNER}
    assert "owner" in terminal.run("projects", "members", "list", "Shared", "--role", "owner").out
    assert terminal.run("projects", "members", "remove", "Shared", person.id).code == 0
    assert person.id not in terminal.run("projects", "members", "list", "Shared").out
    again = terminal.run("projects", "members", "add", "Shared", "me", *role)
    assert again.code == 6
    assert "symphony projects members set" in again.err


def test_a_project_is_removed(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin, name="Short-lived")
    assert terminal.run("projects", "delete", "Short-lived").text == f"removed {project.id}"
    assert terminal.run("projects", "get", project.id).code == 3
