"""`symphony executions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import ExecutionStateWord
from symphony_command.execution_progress import follow, show_end
from symphony_command.execution_report import report
from symphony_command.listing_options import TimeListCommand, listed_of
from symphony_command.output import Column, console, fields_of, json_of, print_json, table_of
from symphony_command.resource_options import InProject
from symphony_command.words import age, enum_value, enum_word, moment

if TYPE_CHECKING:
    from symphony.v1.execution_pb2 import Execution

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Executions: runs of workflows, step by step.",
)

Wanted = Annotated[str, typer.Argument(metavar="EXECUTION", help="Its id.")]


@app.command("start", cls=AskingCommand)
def start(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its id or its name.")],
    project: InProject = "",
    wait: Annotated[
        bool, typer.Option("--follow", help="Show how it goes until it ends, as 'follow' does.")
    ] = False,
) -> None:
    """Ask for a run of a workflow."""
    from symphony.v1.execution_service_pb2 import StartExecutionRequest
    from symphony_command.connection import connected
    from symphony_command.names import workflow_id

    with connected(ctx) as server:
        wanted = workflow_id(server, workflow, project=project)
        started = server.executions.StartExecution(StartExecutionRequest(workflow_id=wanted))
        if not wait:
            _show(ctx, started, said="started")
            return
        typer.echo(f"started {started.id}", err=True)
        ended = follow(server, started.id)
    show_end(ended, as_json=asked_of(ctx).json)


@app.command("follow", cls=AskingCommand)
def follow_one(ctx: typer.Context, execution: Wanted) -> None:
    """Show how a run goes until it ends; the exit code is 0 if it ended well, else 1."""
    from symphony_command.connection import connected

    with connected(ctx) as server:
        ended = follow(server, execution)
    show_end(ended, as_json=asked_of(ctx).json)


@app.command("list", cls=TimeListCommand)
def list_all(
    ctx: typer.Context,
    workflow: Annotated[
        str, typer.Option(metavar="WORKFLOW", help="Only runs of this workflow, by id or name.")
    ] = "",
    project: InProject = "",
    user: Annotated[
        str, typer.Option(metavar="USER", help="Only those this user started: id, e-mail or me.")
    ] = "",
    state: Annotated[
        ExecutionStateWord | None, typer.Option(help="Only runs in this state.")
    ] = None,
) -> None:
    """List the runs that you may read."""
    from symphony.v1.execution_pb2 import ExecutionState
    from symphony.v1.execution_service_pb2 import ListExecutionsRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing
    from symphony_command.names import user_id_if_named, workflow_id

    if project and not workflow:
        raise typer.BadParameter("--project says where --workflow is; give that as well")
    listed = listed_of(ctx)
    columns: list[Column[Any]] = [
        Column(
            "ID" if workflow else "ID AND WORKFLOW",
            lambda one: one.id if workflow else f"{one.id}\n  {one.workflow_id}",
            fold=False,
        ),
        Column("STATE", lambda one: enum_word(ExecutionState, one.state), fold=False),
        Column("STEPS", _steps_done, fold=False, justify="right"),
        Column("AGE", lambda one: age(one.create_time), fold=False, justify="right"),
    ]
    with connected(ctx) as server:
        request = ListExecutionsRequest(
            workflow_id=workflow_id(server, workflow, project=project) if workflow else "",
            user_id=user_id_if_named(server, user),
            state=enum_value(ExecutionState, state),
            **listed.criteria(),
        )
        listing = Listing(
            server.executions.ListExecutions, request, "executions", limit=listed.limit
        )
        show_listing(asked_of(ctx), listing, columns, "executions")


@app.command("get", cls=AskingCommand)
def get(ctx: typer.Context, execution: Wanted) -> None:
    """Show a run and where each of its steps is."""
    from symphony.v1.execution_service_pb2 import GetExecutionRequest
    from symphony_command.connection import connected

    with connected(ctx) as server:
        found = server.executions.GetExecution(GetExecutionRequest(id=execution))
    _show(ctx, found)


@app.command("cancel", cls=AskingCommand)
def cancel(ctx: typer.Context, execution: Wanted) -> None:
    """Give up a run that has not ended."""
    from symphony.v1.execution_service_pb2 import CancelExecutionRequest
    from symphony_command.connection import connected

    with connected(ctx) as server:
        given_up = server.executions.CancelExecution(CancelExecutionRequest(id=execution))
    _show(ctx, given_up, said="cancelled")


app.command("report", cls=AskingCommand)(report)


def _steps_done(execution: Execution) -> str:
    from symphony.v1.execution_pb2 import ExecutionState

    done = sum(one.state == ExecutionState.EXECUTION_STATE_SUCCEEDED for one in execution.steps)
    return f"{done}/{len(execution.steps)}"


def _show(ctx: typer.Context, execution: Execution, said: str = "") -> None:
    from symphony.v1.execution_pb2 import ExecutionState

    if asked_of(ctx).json:
        print_json(json_of(execution))
        return
    out = console()
    if said:
        out.print(f"{said} {execution.id}")
        return
    out.print(
        fields_of(
            (
                ("Execution", execution.id),
                ("Workflow", execution.workflow_id),
                ("Started by", execution.user_id),
                ("State", enum_word(ExecutionState, execution.state)),
                ("Error", execution.error),
                ("Asked for", moment(execution.create_time)),
                ("Started", moment(execution.start_time)),
                ("Ended", moment(execution.end_time)),
                ("Etag", execution.etag),
            )
        )
    )
    columns: list[Column[Any]] = [
        Column("STEP", lambda one: one.name),
        Column("STATE", lambda one: enum_word(ExecutionState, one.state), fold=False),
        Column("STARTED", lambda one: moment(one.start_time)[11:19], fold=False),
        Column("ENDED", lambda one: moment(one.end_time)[11:19], fold=False),
        Column("MESSAGE", lambda one: one.message),
    ]
    told = [one for one in columns if any(one.cell(step) for step in execution.steps)]
    out.print()
    out.print(table_of(execution.steps, told))
