"""The graph of a workflow's steps: as Mermaid, for Graphviz, and as text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony_client.rules import parallel_stages
from symphony_client.rules.cost import DEFAULT_STEP_SECONDS
from symphony_command.errors import UsageProblem
from symphony_command.output import plain
from symphony_command.words import span


def as_mermaid(spec: WorkflowSpec) -> str:
    """The graph as a Mermaid flowchart, from left to right, an arrow for what must end first."""
    names = _positions(spec)
    lines = ["flowchart LR"]
    lines += [
        f'    s{place}["{_mermaid_text(step.name)}<br>{takes(step)}"]'
        for place, step in enumerate(spec.steps)
    ]
    lines += [f"    s{needed} --> s{place}" for needed, place in _arrows(spec, names)]
    return "\n".join(lines)


def as_dot(spec: WorkflowSpec) -> str:
    """The same graph in Graphviz's own language."""
    names = _positions(spec)
    lines = [
        f"digraph {_dot_text(spec.name)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        "  edge [color=gray40, arrowsize=0.7];",
    ]
    lines += [
        f"  s{place} [label={_dot_text(step.name, takes(step))}];"
        for place, step in enumerate(spec.steps)
    ]
    lines += [f"  s{needed} -> s{place};" for needed, place in _arrows(spec, names)]
    return "\n".join([*lines, "}"])


def write_svg(spec: WorkflowSpec, path: Path) -> None:
    """Have Graphviz draw the graph into a file.

    Raises:
        UsageProblem: Graphviz is not installed, or the file cannot be written.
    """
    dot = shutil.which("dot")
    if dot is None:
        raise UsageProblem(
            "the picture needs Graphviz, and there is no program 'dot' on the PATH",
            "install Graphviz (the package is called graphviz), or leave --svg out: Mermaid's text "
            "needs nothing",
        )
    drawn = subprocess.run(  # noqa: S603 - the text is quoted, and the program is Graphviz
        [dot, "-Tsvg"], input=as_dot(spec).encode(), capture_output=True, check=False
    )
    if drawn.returncode != 0:
        said = drawn.stderr.decode(errors="replace").strip().splitlines()
        raise UsageProblem("Graphviz could not draw it", lines=tuple(said[:3]))
    try:
        path.write_bytes(drawn.stdout)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror}") from None


def remarks(spec: WorkflowSpec) -> list[str]:
    """What is not in the drawing, since it is no graph of steps that can run."""
    names = _positions(spec)
    found = []
    for place, step in enumerate(spec.steps):
        if names[step.name] != place:
            found.append(f"another step is called {step.name!r} too")
        for needed in step.depends_on:
            if needed == step.name:
                found.append(f"{step.name!r} depends on itself")
            elif needed not in names:
                found.append(f"{step.name!r} depends on {needed!r}, and no step is called so")
    if len(names) < len(spec.steps):
        return found
    stages = {name: at for at, stage in enumerate(parallel_stages(spec)) for name in stage}
    circles = (
        f"{step.name!r} and {needed!r} wait for each other in a circle"
        for step in spec.steps
        for needed in step.depends_on
        if needed != step.name and stages.get(needed, -1) >= stages[step.name]
    )
    return [*found, *circles]


def takes(step: WorkflowStep) -> str:
    """How long a step is expected to take; what is not stated counts as the contract says."""
    if step.HasField("estimated_duration"):
        return span(step.estimated_duration)
    return f"{DEFAULT_STEP_SECONDS} s"


def _positions(spec: WorkflowSpec) -> dict[str, int]:
    positions: dict[str, int] = {}
    for place, step in enumerate(spec.steps):
        positions.setdefault(step.name, place)
    return positions


def _arrows(spec: WorkflowSpec, names: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (names[needed], place)
        for place, step in enumerate(spec.steps)
        for needed in step.depends_on
        if needed in names
    ]


def _mermaid_text(text: str) -> str:
    """The text with what Mermaid, Markdown or HTML would read as its own written as numbers."""
    return re.sub(r"[^\w \-,:/()]|_|-(?= )", lambda found: f"#{ord(found[0])};", plain(text))


def _dot_text(*lines: str) -> str:
    signs = {"\\": "\\\\", '"': '\\"', "&": "&amp;"}
    quoted = ("".join(signs.get(sign, sign) for sign in plain(line)) for line in lines)
    return '"' + "\\n".join(quoted) + '"'
