"""flow.yaml and flow.json: what is read, and what is told of what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symphony_command.errors import UsageProblem
from symphony_command.flow_drawing import as_dot, as_mermaid, remarks
from symphony_command.flow_file import read_flow
from tests.command.flows import write
from tests.server.world import spec, step


def refused(directory: Path, text: str, name: str = "flow.yaml") -> list[str]:
    """What is said of a file that is refused, each line of it."""
    write(directory, text, name)
    with pytest.raises(UsageProblem) as raised:
        read_flow(directory / name)
    said = [raised.value.message, *raised.value.lines]
    return [line.replace(f"{directory}/", "") for line in said]


def test_yaml_is_read_as_json_would_be(tmp_path: Path) -> None:
    write(tmp_path)
    flow = read_flow(tmp_path / "flow.yaml")
    as_json = json.dumps(
        {
            "spec": {
                "name": "Build and test",
                "description": "What runs on every push",
                "steps": [
                    {"name": "fetch", "command": "git pull", "estimatedDuration": "20s"},
                    {
                        "name": "compile",
                        "command": "make",
                        "dependsOn": ["fetch"],
                        "computeUnits": 80,
                    },
                    {"name": "test", "command": "make test", "dependsOn": ["fetch", "compile"]},
                ],
            }
        },
        indent="\t",
    )
    write(tmp_path, as_json, "flow.json")
    same = read_flow(tmp_path / "flow.json")
    assert same.request == flow.request
    assert same.place_of("spec.steps[2].depends_on[1]").endswith("flow.json:24")
    assert flow.place_of("spec.steps[2].depends_on[1]").endswith("flow.yaml:13")
    assert flow.place_of("spec.steps[2].extension_id").endswith("flow.yaml:11")
    assert flow.place_of("project_id") == ""


def test_words_that_old_yaml_takes_for_something_else_are_words(tmp_path: Path) -> None:
    text = "name: on\ndescription: 2026-11-02\nsteps: [{name: no, command: 1:30}]\n"
    write(tmp_path, text)
    read = read_flow(tmp_path / "flow.yaml").request.spec
    assert (read.name, read.description) == ("on", "2026-11-02")
    assert (read.steps[0].name, read.steps[0].command) == ("no", "1:30")


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        "name: 12\n"
        "steps:\n"
        "  - nmae: a\n"
        "    command: true\n"
        "    depends_on: b\n"
        "    estimated_duration: 5m\n"
        "    compute_units: many\n"
        "  - b\n",
    )
    assert said == [
        "7 things are wrong in flow.yaml",
        "flow.yaml:1: name: takes text; put it in quotes, not 12",
        "flow.yaml:3: steps[0].nmae: there is no such key; did you mean name?",
        "flow.yaml:4: steps[0].command: takes text; put it in quotes, not true",
        "flow.yaml:5: steps[0].depends_on: takes a list, not 'b'",
        "flow.yaml:6: steps[0].estimated_duration: takes seconds with an s, such as 300s or 0.5s, "
        "not '5m'",
        "flow.yaml:7: steps[0].compute_units: takes a whole number, not 'many'",
        "flow.yaml:8: steps[1]: takes keys and values, not 'b'",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "flow.yaml is empty"),
        ("just words", "flow.yaml: takes keys and values"),
        ("name: [", "it is not YAML"),
        ("name: a\nname: b\n", "flow.yaml:2: name: stands here twice"),
        ("name: !!python/object:os.system x\n", "the tag"),
        ("name: a\nsteps: []\nstep: []\n", "did you mean steps?"),
        ("spec: {name: a}\nprojectid: x\n", "did you mean"),
        ("name: a\ncolour: red\n", "known are name, description, steps"),
        ("steps: [{dependsOn: [], depends_on: []}]", "is the same as 'dependsOn'"),
    ],
)
def test_a_file_that_is_no_workflow_is_told_why(tmp_path: Path, text: str, words: str) -> None:
    assert words in " ".join(refused(tmp_path, text))


def test_aliases_within_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert refused(tmp_path, bomb) == ["flow.yaml has too many values"]


def test_json_that_is_broken_is_told_by_line_and_column(tmp_path: Path) -> None:
    said = refused(tmp_path, '{\n  "name": "a",\n}', "flow.json")
    assert said[0].startswith("flow.json:3: it is not JSON: ")


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "flow.bin").write_bytes(b"\xff\xfe\x00")
    for name in ("nowhere.yaml", "flow.bin"):
        with pytest.raises(UsageProblem, match="cannot be read"):
            read_flow(tmp_path / name)


def test_a_thousand_steps_are_read_and_drawn(tmp_path: Path) -> None:
    steps = "".join(f"  - {{name: s{n}, command: x}}\n" for n in range(1000))
    write(tmp_path, f"name: Many\nsteps:\n{steps}")
    read = read_flow(tmp_path / "flow.yaml").request.spec
    assert len(as_mermaid(read).splitlines()) == 1001


def test_names_cannot_break_out_of_a_drawing() -> None:
    odd = spec('a "quoted" \\ name', step('"]; x --> y', command="x"), step("1. <b>&_*`"))
    mermaid = as_mermaid(odd)
    assert '["#34;#93;#59; x --#62; y<br>5 s"]' in mermaid
    assert '["1#46; #60;b#62;#38;#95;#42;#96;<br>5 s"]' in mermaid
    dot = as_dot(odd)
    assert 'digraph "a \\"quoted\\" \\\\ name" {' in dot
    assert '[label="1. <b>&amp;_*`\\n5 s"]' in dot


def test_what_cannot_be_drawn_is_remarked() -> None:
    assert remarks(spec("Sound", step("a"), step("b", "a"))) == []
    odd = spec("Odd", step("a", "c", "a"), step("b", "a", "nowhere"), step("c", "b"))
    assert remarks(odd) == [
        "'a' depends on itself",
        "'b' depends on 'nowhere', and no step is called so",
        "'b' and 'a' wait for each other in a circle",
    ]
    assert remarks(spec("Twice", step("a"), step("a"))) == ["another step is called 'a' too"]
