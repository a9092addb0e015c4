"""`symphony workflows graph`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symphony_command.asking import asked_of
from symphony_command.errors import UsageProblem

if TYPE_CHECKING:
    from symphony.v1.workflow_pb2 import WorkflowSpec


class Drawing(StrEnum):
    """What the graph is drawn in."""

    MERMAID = "mermaid"
    DOT = "dot"
    TEXT = "text"


def graph(
    ctx: typer.Context,
    workflow: Annotated[
        str, typer.Argument(metavar="[WORKFLOW]", help="Its id or its name.", show_default=False)
    ] = "",
    file: Annotated[
        str,
        typer.Option("--file", "-f", metavar="FILE", help="A workflow's file instead; no server."),
    ] = "",
    drawing: Annotated[
        Drawing,
        typer.Option("--as", help="Mermaid, Graphviz's DOT, or stages to read on the terminal."),
    ] = Drawing.MERMAID,
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Have Graphviz draw it into this file, as SVG."),
    ] = None,
    project: Annotated[
        str, typer.Option(metavar="PROJECT", help="The project, by id or name.")
    ] = "",
) -> None:
    """Draw the graph of a workflow's steps, stored or in a file.

    Mermaid's text is drawn by what shows Markdown, between ```mermaid and ```.
    """
    from symphony_command import flow_drawing
    from symphony_command.flow_shape import shape
    from symphony_command.output import console, json_of, print_json

    if bool(workflow) == bool(file):
        raise UsageProblem("there is nothing to draw", "name a workflow, or give its file with -f")
    spec = _spec(ctx, workflow, file, project)
    if svg is not None:
        flow_drawing.write_svg(spec, svg)
        typer.echo(f"drawn into {svg}", err=True)
    elif asked_of(ctx).json:
        print_json(json_of(spec))
    elif drawing is Drawing.TEXT:
        console().print(shape(spec))
    else:
        draw = flow_drawing.as_dot if drawing is Drawing.DOT else flow_drawing.as_mermaid
        typer.echo(draw(spec))


def _spec(ctx: typer.Context, workflow: str, file: str, project: str) -> WorkflowSpec:
    if file:
        from symphony_command.flow_file import read_flow

        return read_flow(Path(file)).request.spec

    from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
    from symphony_command.connection import connected
    from symphony_command.names import workflow_id

    with connected(ctx) as server:
        wanted = workflow_id(server, workflow, project=project)
        return server.workflows.GetWorkflow(GetWorkflowRequest(id=wanted)).spec
