"""`symphony projects members`: who may do what in a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import ProjectRoleWord, TimeOrderWord
from symphony_command.listing_options import Limit, TimeOrder
from symphony_command.output import Column, console, json_of, print_json
from symphony_command.words import age, enum_value, enum_word

if TYPE_CHECKING:
    from symphony.v1.project_pb2 import ProjectMember

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Who may do what in a project: viewer, collaborator, owner.",
)

Project = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id or name.")]
User = Annotated[str, typer.Argument(metavar="USER", help="An id, an e-mail address, or me.")]
Role = Annotated[ProjectRoleWord, typer.Option("--role", help="What the member may do.")]


@app.command("list", cls=AskingCommand)
def list_all(
    ctx: typer.Context,
    project: Project,
    role: Annotated[
        ProjectRoleWord | None, typer.Option(help="Only members with this role.")
    ] = None,
    order: TimeOrder = TimeOrderWord.NEWEST,
    limit: Limit = 100,
) -> None:
    """List the members of a project."""
    from symphony.v1.project_pb2 import ProjectRole
    from symphony.v1.project_service_pb2 import ListProjectMembersRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing
    from symphony_command.names import project_id

    columns: list[Column[Any]] = [
        Column("USER", lambda one: one.user_id, fold=False),
        Column("ROLE", lambda one: enum_word(ProjectRole, one.role), fold=False),
        Column("AGE", lambda one: age(one.create_time), fold=False, justify="right"),
    ]
    with connected(ctx) as server:
        request = ListProjectMembersRequest(
            project_id=project_id(server, project),
            role=enum_value(ProjectRole, role),
            order_by=order.order_by,
        )
        listing = Listing(server.projects.ListProjectMembers, request, "members", limit=limit)
        show_listing(asked_of(ctx), listing, columns, "members")


@app.command("add", cls=AskingCommand)
def add(ctx: typer.Context, project: Project, user: User, role: Role) -> None:
    """Make a user a member of a project."""
    from symphony.v1.project_pb2 import ProjectRole
    from symphony.v1.project_service_pb2 import AddProjectMemberRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id, user_id

    with connected(ctx) as server:
        request = AddProjectMemberRequest(
            project_id=project_id(server, project),
            user_id=user_id(server, user),
            role=enum_value(ProjectRole, role),
        )
        _show(ctx, server.projects.AddProjectMember(request))


@app.command("set", cls=AskingCommand)
def set_role(ctx: typer.Context, project: Project, user: User, role: Role) -> None:
    """Change a member's role."""
    from symphony.v1.project_pb2 import ProjectMember, ProjectRole
    from symphony.v1.project_service_pb2 import UpdateProjectMemberRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id, user_id

    with connected(ctx) as server:
        member = ProjectMember(
            project_id=project_id(server, project),
            user_id=user_id(server, user),
            role=enum_value(ProjectRole, role),
        )
        request = UpdateProjectMemberRequest(project_member=member)
        _show(ctx, server.projects.UpdateProjectMember(request))


@app.command("remove", cls=AskingCommand)
def remove(ctx: typer.Context, project: Project, user: User) -> None:
    """End a user's membership."""
    from symphony.v1.project_service_pb2 import RemoveProjectMemberRequest
    from symphony_command.connection import connected
    from symphony_command.names import project_id, user_id

    with connected(ctx) as server:
        request = RemoveProjectMemberRequest(
            project_id=project_id(server, project), user_id=user_id(server, user)
        )
        server.projects.RemoveProjectMember(request)
    typer.echo(f"removed {request.user_id}", err=asked_of(ctx).json)


def _show(ctx: typer.Context, member: ProjectMember) -> None:
    from symphony.v1.project_pb2 import ProjectRole

    if asked_of(ctx).json:
        print_json(json_of(member))
    else:
        console().print(f"{member.user_id} is {enum_word(ProjectRole, member.role)}")
