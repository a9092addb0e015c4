"""`symphony users`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import RoleWord, TierWord, UserStateWord
from symphony_command.listing_options import NameListCommand, listed_of
from symphony_command.output import Column, console, fields_of, json_of, print_json, table_of
from symphony_command.words import enum_value, enum_word, moment, span

if TYPE_CHECKING:
    from symphony.v1.user_pb2 import User, UserCapabilities

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Users: who calls, in which roles, within which limits.",
)

Wanted = Annotated[str, typer.Argument(metavar="USER", help="An id, an e-mail address, or me.")]
Roles = Annotated[
    list[RoleWord] | None, typer.Option("--role", help="A role; again for more of them.")
]


@app.command("create", cls=AskingCommand)
def create(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(help="The e-mail address.")],
    name: Annotated[str, typer.Option(help="The name shown to people.")],
    tier: Annotated[TierWord | None, typer.Option(help="How much it may use; else free.")] = None,
    role: Roles = None,
) -> None:
    """Make a user; takes the role ADMIN."""
    from symphony.v1.user_pb2 import Role, Tier
    from symphony.v1.user_service_pb2 import CreateUserRequest
    from symphony_command.connection import connected

    request = CreateUserRequest(
        email=email,
        name=name,
        tier=enum_value(Tier, tier),
        roles=[enum_value(Role, one) for one in role or ()],
    )
    with connected(ctx) as server:
        made = server.users.CreateUser(request)
    show_user(ctx, made, said="made")


@app.command("list", cls=NameListCommand)
def list_all(
    ctx: typer.Context,
    tier: Annotated[TierWord | None, typer.Option(help="Only users of this tier.")] = None,
    state: Annotated[UserStateWord | None, typer.Option(help="Only users in this state.")] = None,
) -> None:
    """List the users; takes the role ADMIN or AUDITOR."""
    from symphony.v1.user_pb2 import Tier, UserState
    from symphony.v1.user_service_pb2 import ListUsersRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing

    listed = listed_of(ctx)
    columns: list[Column[Any]] = [
        Column("ID", lambda one: one.id, fold=False),
        Column("EMAIL", lambda one: one.email),
        Column("TIER", lambda one: enum_word(Tier, one.tier), fold=False),
        Column("ROLES", _roles),
    ]
    request = ListUsersRequest(
        tier=enum_value(Tier, tier),
        state=enum_value(UserState, state),
        **listed.criteria(),
    )
    with connected(ctx) as server:
        listing = Listing(server.users.ListUsers, request, "users", limit=listed.limit)
        show_listing(asked_of(ctx), listing, columns, "users")


@app.command("get", cls=AskingCommand)
def get(ctx: typer.Context, user: Wanted) -> None:
    """Show a user."""
    from symphony.v1.user_service_pb2 import GetUserRequest
    from symphony_command.connection import connected
    from symphony_command.names import user_id

    with connected(ctx) as server:
        found = server.users.GetUser(GetUserRequest(id=user_id(server, user)))
    show_user(ctx, found)


@app.command("update", cls=AskingCommand)
def update(
    ctx: typer.Context,
    user: Wanted,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    email: Annotated[str | None, typer.Option(help="The new e-mail address.")] = None,
    tier: Annotated[TierWord | None, typer.Option(help="The new tier.")] = None,
    role: Roles = None,
    state: Annotated[UserStateWord | None, typer.Option(help="The new state.")] = None,
) -> None:
    """Change what is given of a user; roles replace those before."""
    from symphony.v1.user_pb2 import Role, Tier, User, UserState
    from symphony.v1.user_service_pb2 import UpdateUserRequest
    from symphony_command.connection import connected
    from symphony_command.names import user_id

    given = {"name": name, "email": email, "tier": tier, "roles": role, "state": state}
    paths = [key for key, value in given.items() if value is not None]
    if not paths:
        raise typer.BadParameter(
            "nothing to change: give --name, --email, --tier, --role or --state"
        )
    changed = User(
        name=name or "",
        email=email or "",
        tier=enum_value(Tier, tier),
        roles=[enum_value(Role, one) for one in role or ()],
        state=enum_value(UserState, state),
    )
    with connected(ctx) as server:
        changed.id = user_id(server, user)
        request = UpdateUserRequest(user=changed)
        request.update_mask.paths.extend(paths)
        kept = server.users.UpdateUser(request)
    show_user(ctx, kept, said="changed")


@app.command("delete", cls=AskingCommand)
def delete(ctx: typer.Context, user: Wanted) -> None:
    """Remove a user who owns nothing and is a member of nothing."""
    from symphony.v1.user_service_pb2 import DeleteUserRequest
    from symphony_command.connection import connected
    from symphony_command.names import user_id

    with connected(ctx) as server:
        gone = user_id(server, user)
        server.users.DeleteUser(DeleteUserRequest(id=gone))
    typer.echo(f"removed {gone}", err=asked_of(ctx).json)


@app.command("capabilities", cls=AskingCommand)
def capabilities(
    ctx: typer.Context,
    user: Annotated[
        str, typer.Argument(metavar="[USER]", help="An id or an e-mail address.")
    ] = "me",
) -> None:
    """Show what a user can do now, and what stands in the way of the rest."""
    from symphony.v1.user_service_pb2 import GetUserCapabilitiesRequest
    from symphony_command.connection import connected
    from symphony_command.names import user_id

    with connected(ctx) as server:
        request = GetUserCapabilitiesRequest(user_id=user_id(server, user))
        found = server.users.GetUserCapabilities(request)
    if asked_of(ctx).json:
        print_json(json_of(found))
    else:
        _show_capabilities(found)


def show_user(ctx: typer.Context, user: User, said: str = "") -> None:
    """Print a user, or what became of it."""
    if asked_of(ctx).json:
        print_json(json_of(user))
    elif said:
        console().print(f"{said} {user.id}")
    else:
        console().print(fields_of(user_fields(user)))


def user_fields(user: User) -> list[tuple[str, str]]:
    """What there is to show of a user."""
    from symphony.v1.user_pb2 import Tier, UserState

    return [
        ("User", user.id),
        ("E-mail", user.email),
        ("Name", user.name),
        ("Tier", enum_word(Tier, user.tier)),
        ("Roles", _roles(user)),
        ("State", enum_word(UserState, user.state)),
        ("Created", moment(user.create_time)),
        ("Updated", moment(user.update_time)),
        ("Etag", user.etag),
    ]


def _roles(user: User) -> str:
    from symphony.v1.user_pb2 import Role, UserState

    words = [enum_word(Role, role) for role in user.roles]
    if user.state == UserState.USER_STATE_SUSPENDED:
        words.append("SUSPENDED")
    return ", ".join(words)


def _show_capabilities(found: UserCapabilities) -> None:
    from symphony.v1.user_pb2 import Tier

    longest = found.max_estimated_duration
    most = found.max_workflows or "no limit"
    out = console()
    out.print(
        fields_of(
            (
                ("User", found.user_id),
                ("Tier", enum_word(Tier, found.tier)),
                ("Create workflows", "yes" if found.can_create_workflows else "no"),
                ("Install extensions", "yes" if found.can_install_extensions else "no"),
                ("Workflows", f"{found.workflows_used} of {most}"),
                ("Steps in one", f"{found.max_workflow_steps or 'no limit'}"),
                ("Duration of one", span(longest) if longest.ByteSize() else "no limit"),
            )
        )
    )
    if found.denials:
        columns: list[Column[Any]] = [
            Column("CANNOT", lambda one: one.permission),
            Column("FOR", lambda one: one.reason),
            Column("WHAT WOULD HAVE TO CHANGE", lambda one: one.description),
        ]
        out.print()
        out.print(table_of(found.denials, columns))
