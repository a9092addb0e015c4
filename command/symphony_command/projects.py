"""`symphony projects`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.listing_options import NameListCommand, listed_of
from symphony_command.output import Column, console, fields_of, json_of, print_json
from symphony_command.project_members import app as members_app
from symphony_command.words import age, moment, span, written_span

if TYPE_CHECKING:
    from symphony.v1.project_pb2 import Project

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Projects: where workflows and extensions live, and who may use them.",
)
app.add_typer(members_app, name="members")

Wanted = Annotated[str, typer.Argument(metavar="PROJECT", help="Its id or its name.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
MaxSteps = Annotated[
    int | None, typer.Option(help="How many steps a workflow may have; 0 for no constraint.")
]
MaxWorkflows = Annotated[
    int | None, typer.Option(help="How many workflows it may hold; 0 for no constraint.")
]
MaxDuration = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="How long a workflow may be: 90s, 2h; 0 for no constraint."),
]


@app.command("create", cls=AskingCommand)
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    description: Description = None,
    max_steps: MaxSteps = None,
    max_workflows: MaxWorkflows = None,
    max_duration: MaxDuration = None,
) -> None:
    """Make a project; you are its first owner."""
    from symphony.v1.project_service_pb2 import CreateProjectRequest
    from symphony_command.connection import connected

    request = CreateProjectRequest(name=name, description=description or "")
    if _constrain(request, max_steps, max_workflows, max_duration):
        request.constraints.SetInParent()
    with connected(ctx) as server:
        made = server.projects.CreateProject(request)
    _show(ctx, made, said="made")


@app.command("list", cls=NameListCommand)
def list_all(
    ctx: typer.Context,
    owner: Annotated[
        str, typer.Option(metavar="USER", help="Only those this user made: id, e-mail or me.")
    ] = "",
) -> None:
    """List the projects that you may read."""
    from symphony.v1.project_service_pb2 import ListProjectsRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing
    from symphony_command.names import user_id_if_named

    listed = listed_of(ctx)
    columns: list[Column[Any]] = [
        Column("ID", lambda one: one.id, fold=False),
        Column("NAME", lambda one: one.name),
        Column("DESCRIPTION", lambda one: one.description),
        Column("AGE", lambda one: age(one.create_time), fold=False, justify="right"),
    ]
    with connected(ctx) as server:
        request = ListProjectsRequest(
            owner_id=user_id_if_named(server, owner),
            **listed.criteria(),
        )
        listing = Listing(server.projects.ListProjects, request, "projects", limit=listed.limit)
        show_listing(asked_of(ctx), listing, columns, "projects")


@app.command("get", cls=AskingCommand)
def get(ctx: typer.Context, project: Wanted) -> None:
    """Show a project and its constraints."""
    from symphony.v1.project_service_pb2 import GetProjectRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id

    with connected(ctx) as server:
        wanted = project_id(server, project)
        found = server.projects.GetProject(GetProjectRequest(id=wanted))
    _show(ctx, found)


@app.command("update", cls=AskingCommand)
def update(
    ctx: typer.Context,
    project: Wanted,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    description: Description = None,
    max_steps: MaxSteps = None,
    max_workflows: MaxWorkflows = None,
    max_duration: MaxDuration = None,
) -> None:
    """Change what is given of a project, and leave the rest."""
    from symphony.v1.project_pb2 import Project
    from symphony.v1.project_service_pb2 import UpdateProjectRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id

    changed = Project(name=name or "", description=description or "")
    paths = [
        key for key, value in (("name", name), ("description", description)) if value is not None
    ]
    paths += _constrain(changed, max_steps, max_workflows, max_duration)
    if not paths:
        raise typer.BadParameter("nothing to change: give --name, --description or a constraint")
    with connected(ctx) as server:
        changed.id = project_id(server, project)
        request = UpdateProjectRequest(project=changed)
        request.update_mask.paths.extend(paths)
        kept = server.projects.UpdateProject(request)
    _show(ctx, kept, said="changed")


@app.command("delete", cls=AskingCommand)
def delete(ctx: typer.Context, project: Wanted) -> None:
    """Remove a project that holds no workflow and no extension."""
    from symphony.v1.project_service_pb2 import DeleteProjectRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id

    with connected(ctx) as server:
        gone = project_id(server, project)
        server.projects.DeleteProject(DeleteProjectRequest(id=gone))
    typer.echo(f"removed {gone}", err=asked_of(ctx).json)


def _constrain(
    message: Any, max_steps: int | None, max_workflows: int | None, max_duration: str | None
) -> list[str]:
    """Set the constraints that are given, and return their paths."""
    paths = []
    if max_steps is not None:
        message.constraints.max_steps_per_workflow = max_steps
        paths.append("constraints.max_steps_per_workflow")
    if max_workflows is not None:
        message.constraints.max_workflows = max_workflows
        paths.append("constraints.max_workflows")
    if max_duration is not None:
        longest = written_span(max_duration)
        if longest:
            message.constraints.max_estimated_duration.FromTimedelta(longest)
        paths.append("constraints.max_estimated_duration")
    return paths


def _show(ctx: typer.Context, project: Project, said: str = "") -> None:
    if asked_of(ctx).json:
        print_json(json_of(project))
        return
    if said:
        console().print(f"{said} {project.id}")
        return
    limits = project.constraints
    longest = limits.max_estimated_duration
    console().print(
        fields_of(
            (
                ("Project", project.id),
                ("Name", project.name),
                ("Description", project.description),
                ("Made by", project.owner_id),
                ("Max steps", str(limits.max_steps_per_workflow or "no constraint")),
                ("Max workflows", str(limits.max_workflows or "no constraint")),
                ("Max duration", span(longest) if longest.ByteSize() else "no constraint"),
                ("Extensions", "\n".join(limits.allowed_extension_ids) or "no constraint"),
                ("Created", moment(project.create_time)),
                ("Updated", moment(project.update_time)),
                ("Etag", project.etag),
            )
        )
    )
