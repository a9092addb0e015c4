"""Names where ids could stand."""

from __future__ import annotations

from tests.command.flows import write
from tests.command.terminal import Terminal
from tests.server.world import World, spec


def test_a_name_that_fits_several_is_not_guessed(world: World, terminal: Terminal) -> None:
    projects = [world.project(world.admin, name="Twice") for _ in range(2)]
    shown = terminal.run("projects", "get", "Twice")
    assert shown.code == 2
    assert "2 projects are called 'Twice'" in shown.err
    assert all(one.id in shown.err for one in projects)
    assert terminal.run("projects", "get", projects[0].id).code == 0


def test_the_same_name_in_two_projects_is_told_apart_by_the_project(
    world: World, terminal: Terminal
) -> None:
    made = []
    for _ in range(2):
        project = world.project(world.admin)
        made.append((project, world.workflow(world.admin, project, spec=spec("Same"))))
    shown = terminal.run("workflows", "get", "Same")
    assert shown.code == 2
    assert all(project.id in shown.err for project, _ in made)
    for project, workflow in made:
        found = terminal.run("workflows", "get", "same", "--project", project.id, "-o", "json")
        assert found.json["id"] == workflow.id


def test_exact_spelling_comes_before_another_case(world: World, terminal: Terminal) -> None:
    exact = world.project(world.admin, name="Casing")
    world.project(world.admin, name="CASING")
    assert terminal.run("projects", "get", "Casing", "-o", "json").json["id"] == exact.id
    assert terminal.run("projects", "get", "casing").code == 2


def test_a_name_that_nothing_has_brings_up_what_comes_near(
    world: World, terminal: Terminal
) -> None:
    person = world.user()
    near = world.project(person, name="Harvest moon")
    mine = terminal.of(person)
    for written in ("Harvest", "Harvset moon"):
        shown = mine.run("projects", "get", written)
        assert shown.code == 3
        assert near.id in shown.err
        assert "symphony projects list" in shown.err
    file = write(mine.directory)
    assert mine.run("workflows", "create", "-f", file, "--project", "Winter").code == 3


def test_a_project_is_wanted_for_a_spec_alone(terminal: Terminal) -> None:
    shown = terminal.run("workflows", "create", "-f", write(terminal.directory))
    assert shown.code == 2
    assert "give --project" in shown.err


def test_a_user_is_an_address_an_id_or_me(world: World, terminal: Terminal) -> None:
    for written in (world.admin.id, "ADMIN@example.com", "me"):
        found = terminal.run("users", "get", written, "-o", "json").json
        assert found["id"] == world.admin.id
    assert terminal.run("users", "get", "Administrator").code == 2
    assert terminal.run("users", "get", "nobody@example.com").code == 3
