"""`symphony watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import KindWord
from symphony_command.output import console, json_of, plain, print_json_line, print_paragraph
from symphony_command.words import enum_value, enum_word

if TYPE_CHECKING:
    from rich.text import Text

    from symphony.v1.change_pb2 import Change

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_INDENT: Final = 12
"""Past the revision and what happened."""
_STYLES: Final = {"created": "green", "updated": "yellow", "deleted": "red"}


@app.command("watch", cls=AskingCommand)
def watch(
    ctx: typer.Context,
    kind: Annotated[
        list[KindWord] | None, typer.Option(help="Only changes of this kind; again for more.")
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROJECT", help="Only in this project, by id or name; again for more."
        ),
    ] = None,
    since: Annotated[
        int,
        typer.Option(metavar="REVISION", min=0, help="Begin after this revision; 0 is from now."),
    ] = 0,
    count: Annotated[int, typer.Option(min=0, help="End after so many changes; 0 is never.")] = 0,
) -> None:
    """Print each change that you may see, as it happens, until Ctrl-C.

    A line has the revision, what happened, and to what; with --output json it is the Change of
    the contract.
    """
    from symphony.v1.change_pb2 import ResourceKind
    from symphony.v1.change_service_pb2 import WatchRequest
    from symphony_command.change_feed import feed
    from symphony_command.connection import connected
    from symphony_command.names import project_id

    asked, out = asked_of(ctx), console()
    with connected(ctx) as server:
        request = WatchRequest(
            start_revision=since,
            kinds=[enum_value(ResourceKind, one) for one in kind or ()],
            project_ids=[project_id(server, one) for one in project or ()],
        )
        shown = 0
        for response in feed(server, request):
            if response.HasField("checkpoint"):
                if not shown and not since:
                    typer.echo(f"watching from revision {response.checkpoint.revision}", err=True)
                    since = response.checkpoint.revision
                continue
            if asked.json:
                print_json_line(json_of(response.change))
            else:
                print_paragraph(out, _line(response.change), indent=_INDENT)
                out.file.flush()
            shown += 1
            if shown == count:
                return


def _line(change: Change) -> Text:
    from rich.text import Text

    from symphony.v1.change_pb2 import ChangeOperation

    operation = enum_word(ChangeOperation, change.operation)
    return Text.assemble(
        (f"{change.revision:>6}  ", "dim"),
        (f"{operation:<7}", _STYLES.get(operation, "")),
        f"  {plain(change.resource_id)}",
        (f"  {plain(_about(change))}".rstrip(), "dim"),
    )


def _about(change: Change) -> str:
    """What a person knows the resource by."""
    from symphony.v1.execution_pb2 import ExecutionState
    from symphony.v1.project_pb2 import ProjectRole

    match change.WhichOneof("resource"):
        case "workflow":
            return change.workflow.spec.name
        case "execution":
            return enum_word(ExecutionState, change.execution.state)
        case "project_member":
            return enum_word(ProjectRole, change.project_member.role)
        case "user":
            return change.user.email
        case "project":
            return change.project.name
        case "extension":
            return f"{change.extension.name} {change.extension.version}"
        case _:
            return ""
