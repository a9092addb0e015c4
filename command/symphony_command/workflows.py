"""`symphony workflows`: made, listed, shown, changed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import WorkflowStatusWord
from symphony_command.flow_options import FlowPath
from symphony_command.listing_options import NameListCommand, listed_of
from symphony_command.output import Column, console, fields_of, print_json, table_of
from symphony_command.resource_options import InProject
from symphony_command.words import age, enum_value, enum_word, moment, span
from symphony_command.workflow_graph import graph
from symphony_command.workflow_validation import ValidateCommand, validate

if TYPE_CHECKING:
    from symphony.v1.workflow_pb2 import Workflow, WorkflowStep

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Workflows: graphs of steps, each in a project.",
)

Wanted = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its id or its name.")]


@app.command("create", cls=AskingCommand)
def create(
    ctx: typer.Context,
    file: FlowPath,
    project: InProject = "",
    shared: Annotated[
        bool, typer.Option("--shared", help="Every member of the project may read it.")
    ] = False,
) -> None:
    """Make a workflow of a file: a spec, or a whole request with its project in it."""
    from symphony_command.connection import connected
    from symphony_command.flow_file import read_flow
    from symphony_command.names import project_id

    flow = read_flow(file)
    with connected(ctx, place_of=flow.place_of) as server:
        if project:
            flow.request.project_id = project_id(server, project)
        flow.request.shared = flow.request.shared or shared
        made = server.workflows.CreateWorkflow(flow.with_a_project())
    _show(ctx, made, said="made")


@app.command("list", cls=NameListCommand)
def list_all(
    ctx: typer.Context,
    project: InProject = "",
    user: Annotated[
        str, typer.Option(metavar="USER", help="Only those of this owner: id, e-mail or me.")
    ] = "",
    status: Annotated[
        WorkflowStatusWord | None, typer.Option(help="Only those in this status.")
    ] = None,
) -> None:
    """List the workflows that you may read."""
    from symphony.v1.workflow_pb2 import WorkflowStatus
    from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing
    from symphony_command.names import project_id_if_named, user_id_if_named

    listed = listed_of(ctx)
    columns: list[Column[Any]] = [
        Column("ID", lambda one: one.id, fold=False),
        Column("NAME", lambda one: one.spec.name),
        Column("STEPS", lambda one: str(len(one.spec.steps)), fold=False, justify="right"),
        Column("STATUS", lambda one: enum_word(WorkflowStatus, one.status), fold=False),
        Column("AGE", lambda one: age(one.create_time), fold=False, justify="right"),
    ]
    with connected(ctx) as server:
        request = ListWorkflowsRequest(
            project_id=project_id_if_named(server, project),
            user_id=user_id_if_named(server, user),
            status=enum_value(WorkflowStatus, status),
            **listed.criteria(),
        )
        listing = Listing(server.workflows.ListWorkflows, request, "workflows", limit=listed.limit)
        show_listing(asked_of(ctx), listing, columns, "workflows")


@app.command("get", cls=AskingCommand)
def get(ctx: typer.Context, workflow: Wanted, project: InProject = "") -> None:
    """Show a workflow and its steps."""
    from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
    from symphony_command.connection import connected
    from symphony_command.names import workflow_id

    with connected(ctx) as server:
        wanted = workflow_id(server, workflow, project=project)
        found = server.workflows.GetWorkflow(GetWorkflowRequest(id=wanted))
    _show(ctx, found)


@app.command("update", cls=AskingCommand)
def update(
    ctx: typer.Context,
    workflow: Wanted,
    file: Annotated[
        str, typer.Option("--file", "-f", metavar="FILE", help="The new spec, as YAML or JSON.")
    ] = "",
    shared: Annotated[
        bool | None, typer.Option(help="Whether every member of the project may read it.")
    ] = None,
    status: Annotated[WorkflowStatusWord | None, typer.Option(help="The new status.")] = None,
    project: InProject = "",
) -> None:
    """Change a workflow: its spec, whether it is shared, or its status."""
    from pathlib import Path

    from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
    from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
    from symphony_command.connection import connected
    from symphony_command.flow_file import read_flow
    from symphony_command.names import workflow_id

    flow = read_flow(Path(file)) if file else None
    changed = Workflow(status=enum_value(WorkflowStatus, status), shared=bool(shared))
    paths = [name for name, given in (("status", status), ("shared", shared)) if given is not None]
    if flow is not None:
        changed.spec.CopyFrom(flow.request.spec)
        # An estimate that was computed is computed anew with the steps.
        paths += ["spec", "estimated_cost"]
        if flow.request.HasField("estimated_cost"):
            changed.estimated_cost.CopyFrom(flow.request.estimated_cost)
    if not paths:
        raise typer.BadParameter(
            "nothing to change: give --file, --shared, --no-shared or --status"
        )
    with connected(ctx, place_of=flow.place_of if flow else None) as server:
        changed.id = workflow_id(server, workflow, project=project)
        request = UpdateWorkflowRequest(workflow=changed)
        request.update_mask.paths.extend(paths)
        kept = server.workflows.UpdateWorkflow(request)
    _show(ctx, kept, said="changed")


@app.command("delete", cls=AskingCommand)
def delete(ctx: typer.Context, workflow: Wanted, project: InProject = "") -> None:
    """Remove a workflow and its executions, none of which may be under way."""
    from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
    from symphony_command.connection import connected
    from symphony_command.names import workflow_id

    with connected(ctx) as server:
        gone = workflow_id(server, workflow, project=project)
        server.workflows.DeleteWorkflow(DeleteWorkflowRequest(id=gone))
    typer.echo(f"removed {gone}", err=asked_of(ctx).json)


app.command("graph", cls=AskingCommand)(graph)
app.command("validate", cls=ValidateCommand)(validate)


def _show(ctx: typer.Context, workflow: Workflow, said: str = "") -> None:
    from symphony.v1.workflow_pb2 import WorkflowStatus
    from symphony_command.output import json_of

    if asked_of(ctx).json:
        print_json(json_of(workflow))
        return
    out = console()
    if said:
        out.print(f"{said} {workflow.id}")
        return
    shared = "shared with the project's members" if workflow.shared else "not shared"
    cost = workflow.estimated_cost
    out.print(
        fields_of(
            (
                ("Workflow", workflow.id),
                ("Name", workflow.spec.name),
                ("Description", workflow.spec.description),
                ("Project", workflow.project_id),
                ("Owner", workflow.user_id),
                ("Status", f"{enum_word(WorkflowStatus, workflow.status)}, {shared}"),
                ("Estimate", f"{span(cost.estimated_duration)}, {cost.compute_units} units"),
                ("Created", moment(workflow.create_time)),
                ("Updated", moment(workflow.update_time)),
                ("Etag", workflow.etag),
            )
        )
    )
    out.print()
    out.print(table_of(enumerate(workflow.spec.steps, start=1), _step_columns()))


def _step_columns() -> list[Column[tuple[int, WorkflowStep]]]:
    from symphony_command.flow_drawing import takes

    return [
        Column("#", lambda one: str(one[0]), fold=False, justify="right"),
        Column("STEP", lambda one: one[1].name),
        Column("AFTER", lambda one: ", ".join(one[1].depends_on)),
        Column("TAKES", lambda one: takes(one[1]), fold=False, justify="right"),
        Column("COMMAND", lambda one: one[1].command),
    ]
