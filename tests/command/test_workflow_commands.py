"""`symphony workflows` against a real server."""

from __future__ import annotations

import json

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from tests.command.flows import FLOW, named, write
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World, spec, step


def test_a_file_becomes_a_workflow(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin, name="Made of files")
    file = write(terminal.directory)
    made = terminal.run(
        "workflows", "create", "-f", file, "--project", "Made of files", "-o", "json"
    )
    kept = world.admin.get(
        world.admin.workflows.GetWorkflow, GetWorkflowRequest(id=made.json["id"])
    )
    assert made.json == contract_json(kept)
    assert kept.project_id == project.id
    assert [(one.name, one.depends_on[:]) for one in kept.spec.steps] == [
        ("fetch", []),
        ("compile", ["fetch"]),
        ("test", ["fetch", "compile"]),
    ]
    assert kept.estimated_cost.estimated_duration.seconds == 30


def test_yaml_json_and_what_get_prints_are_one_form(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    file = write(terminal.directory, named("First"))
    made = terminal.run("workflows", "create", "-f", file, "--project", project.id, "-o", "json")
    shown = terminal.run("workflows", "get", made.json["id"], "-o", "json").json
    again = {"projectId": project.id, "shared": True, "spec": {**shown["spec"], "name": "Second"}}
    (terminal.directory / "again.json").write_text(json.dumps(again))
    copy = terminal.run("workflows", "create", "-f", "again.json", "-o", "json").json
    assert copy["spec"]["steps"] == shown["spec"]["steps"]
    assert copy["shared"]


def test_a_workflow_comes_from_standard_input_too(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    made = terminal.run(
        *("workflows", "create", "-f", "-", "--project", project.id, "--shared"), stdin=FLOW
    )
    assert made.text.startswith("made workflow_")


def test_a_list_pages_by_itself_and_says_where_it_ends(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    made = [world.workflow(world.admin, project, spec=spec(f"flow {n}")) for n in range(5)]
    every = terminal.run("workflows", "list", "--project", project.id, "-o", "json", "--limit", "0")
    some = terminal.run("workflows", "list", "--project", project.id, "--limit", "2")
    asked = ListWorkflowsRequest(project_id=project.id)
    answer = world.admin.get(world.admin.workflows.ListWorkflows, asked)
    assert every.json == [contract_json(one) for one in answer.workflows]
    assert len(every.out.splitlines()) == len(made) + 2  # a line each, so that grep serves too
    assert "There are more workflows: --limit 0 shows all." in some.err
    assert len(some.out.splitlines()) == 3


def test_filters_are_the_contracts(world: World, terminal: Terminal) -> None:
    owner = world.user()
    project = world.project(owner)
    for name in ("Alpha", "Beta"):
        world.workflow(owner, project, spec=spec(name))
    mine = terminal.of(owner)
    named_so = mine.run("workflows", "list", "--name-prefix", "alp", "-o", "json").json
    by_name = mine.run("workflows", "list", "--order", "name", "--user", "me", "-o", "json").json
    assert [one["spec"]["name"] for one in named_so] == ["Alpha"]
    assert [one["spec"]["name"] for one in by_name] == ["Alpha", "Beta"]
    assert mine.run("workflows", "list", "--status", "archived", "-o", "json").json == []
    assert mine.run("workflows", "list", "--created-after", "1h", "-o", "json").json
    assert mine.run("workflows", "list", "--created-before", "2020-01-01", "-o", "json").json == []


def test_a_workflow_is_changed_and_removed_by_its_name(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    made = world.workflow(world.admin, project, spec=spec("Changeable"))
    where = ("Changeable", "--project", project.id)
    file = write(terminal.directory, named("Changed"))
    assert terminal.run("workflows", "update", *where, "-f", file, "--shared").code == 0
    assert terminal.run("workflows", "update", made.id, "--status", "archived").code == 0
    kept = world.admin.get(world.admin.workflows.GetWorkflow, GetWorkflowRequest(id=made.id))
    assert kept.spec.name == "Changed"
    assert kept.shared
    assert kept.status == WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
    assert kept.estimated_cost.estimated_duration.seconds == 30
    removed = terminal.run("workflows", "delete", "Changed", "--project", project.id)
    assert removed.text == f"removed {made.id}"
    assert terminal.run("workflows", "get", made.id).code == 3


def test_an_update_of_nothing_says_what_can_be_given(terminal: Terminal) -> None:
    shown = terminal.run("workflows", "update", "Any")
    assert shown.code == 2
    assert "--file" in shown.err


def test_a_workflow_is_drawn_from_the_server_and_from_a_file(
    world: World, terminal: Terminal
) -> None:
    project = world.project(world.admin)
    world.workflow(world.admin, project, spec=spec("Drawn", step("a"), step("b", "a")))
    stored = terminal.run("workflows", "graph", "Drawn", "--project", project.id)
    assert stored.out.splitlines() == [
        "flowchart LR",
        '    s0["a<br>5 s"]',
        '    s1["b<br>5 s"]',
        "    s0 --> s1",
    ]
    offline = Terminal(terminal.directory, server="127.0.0.1:1")
    file = write(terminal.directory)
    assert "s0 --> s2" in offline.run("workflows", "graph", "-f", file).out
    assert "s0 -> s2;" in offline.run("workflows", "graph", "-f", file, "--as", "dot").out
    assert (
        "3 steps in 3 stages" in offline.run("workflows", "graph", "-f", file, "--as", "text").out
    )
    assert offline.run("workflows", "graph").code == 2


def test_validation_asks_no_server_unless_it_is_told_to(world: World, terminal: Terminal) -> None:
    viewer = world.user()
    project = world.project(world.admin)
    world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
    file = write(terminal.directory)
    offline = Terminal(terminal.directory, server="127.0.0.1:1").run(
        "workflows", "validate", "-f", file
    )
    assert "3 steps in 3 stages; estimated 100 units, 30 s from start to end" in offline.text
    assert "1 dependency follows from others" in offline.text

    asked = terminal.run("workflows", "validate", "-f", file, "--server", "--project", project.id)
    assert "The server would take it." in asked.out
    refused = terminal.of(viewer).run(
        "workflows", "validate", "--server", "-f", file, "--project", project.id
    )
    assert refused.code == 4
    elsewhere = terminal.run(
        "workflows", "validate", "--server", "127.0.0.1:1", "-f", file, "--project", project.id
    )
    assert elsewhere.code == 5
    listed = ListWorkflowsRequest(project_id=project.id)
    assert not world.admin.get(world.admin.workflows.ListWorkflows, listed).workflows


def test_every_mistake_is_told_with_the_line_that_it_is_in(
    world: World, terminal: Terminal
) -> None:
    project = world.project(world.admin)
    text = FLOW.replace("command: make\n", 'command: ""\n').replace("name: test", 'name: "  "')
    file = write(terminal.directory, text)
    before = terminal.run("workflows", "validate", "-f", file)
    assert before.code == 1
    assert "flow.yaml:8: spec.steps[1].command: must not be empty" in before.err
    assert "flow.yaml:11: spec.steps[2].name: must not be blank" in before.err
    cyclic = write(terminal.directory, FLOW.replace("git pull", "git pull\n    depends_on: [test]"))
    drawn = terminal.run("workflows", "validate", "-f", cyclic)
    assert drawn.code == 1
    assert "wait for each other in a circle" in " ".join(drawn.out.split())
    told = terminal.run("workflows", "create", "-f", cyclic, "--project", project.id)
    assert told.code == 1
    assert "flow.yaml:6: spec.steps[0].depends_on" in told.err
    assert "Next: mend the steps" in told.err


def test_what_is_shown_of_a_workflow_fits_80_columns(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    long = spec(
        "A name that goes on and on " * 4, step("step " * 20), step("b" * 120, "step " * 20)
    )
    made = world.workflow(world.admin, project, spec=long)
    for arguments in (
        ("list", "--project", project.id),
        ("get", made.id),
        ("graph", made.id, "--as", "text"),
    ):
        shown = terminal.run("workflows", *arguments)
        assert max(map(len, shown.out.splitlines())) <= COLUMNS
    assert made.id in terminal.run("workflows", "list", "--project", project.id).out
