"""`symphony extensions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import ExtensionStateWord, ExtensionTypeWord
from symphony_command.listing_options import NameListCommand, listed_of
from symphony_command.output import Column, console, fields_of, json_of, print_json, table_of
from symphony_command.resource_options import InProject
from symphony_command.words import age, enum_value, enum_word, moment

if TYPE_CHECKING:
    from symphony.v1.extension_pb2 import Extension

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Extensions: what a project's steps may use, and what its scan found.",
)

Wanted = Annotated[str, typer.Argument(metavar="EXTENSION", help="Its id or its name.")]


@app.command("install", cls=AskingCommand)
def install(
    ctx: typer.Context,
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="A .json or .toml file.")],
    project: Annotated[str, typer.Option(metavar="PROJECT", help="Where to, by id or name.")],
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Scan it, and install nothing.")
    ] = False,
) -> None:
    """Have an extension's manifest scanned, and install it in a project."""
    from symphony.v1.extension_service_pb2 import InstallExtensionRequest
    from symphony_client.errors import PreValidationFailed
    from symphony_client.prevalidation import read_manifest_file
    from symphony_command.connection import connected
    from symphony_command.errors import CallFailed
    from symphony_command.names import project_id

    try:
        read = read_manifest_file(manifest)
    except PreValidationFailed as error:
        raise CallFailed(error) from None
    with connected(ctx) as server:
        request = InstallExtensionRequest(
            project_id=project_id(server, project),
            manifest=read.text,
            manifest_format=read.manifest_format,
            validate_only=validate_only,
        )
        installed = server.extensions.InstallExtension(request)
    _show(ctx, installed, said="the scan lets pass" if validate_only else "installed")


@app.command("list", cls=NameListCommand)
def list_all(
    ctx: typer.Context,
    project: InProject = "",
    kind: Annotated[
        ExtensionTypeWord | None, typer.Option("--type", help="Only those of this type.")
    ] = None,
    state: Annotated[
        ExtensionStateWord | None, typer.Option(help="Only those in this state.")
    ] = None,
) -> None:
    """List the extensions that you may read."""
    from symphony.v1.extension_pb2 import ExtensionState, ExtensionType, ScanVerdict
    from symphony.v1.extension_service_pb2 import ListExtensionsRequest
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_listing
    from symphony_command.names import project_id_if_named

    listed = listed_of(ctx)
    columns: list[Column[Any]] = [
        Column("ID", lambda one: one.id, fold=False),
        Column("NAME", lambda one: one.name),
        Column("VERSION", lambda one: one.version),
        Column("STATE", lambda one: enum_word(ExtensionState, one.state), fold=False),
        Column("SCAN", lambda one: enum_word(ScanVerdict, one.scan.verdict), fold=False),
        Column("AGE", lambda one: age(one.create_time), fold=False, justify="right"),
    ]
    with connected(ctx) as server:
        request = ListExtensionsRequest(
            project_id=project_id_if_named(server, project),
            type=enum_value(ExtensionType, kind),
            state=enum_value(ExtensionState, state),
            **listed.criteria(),
        )
        listing = Listing(
            server.extensions.ListExtensions, request, "extensions", limit=listed.limit
        )
        show_listing(asked_of(ctx), listing, columns, "extensions")


@app.command("get", cls=AskingCommand)
def get(ctx: typer.Context, extension: Wanted, project: InProject = "") -> None:
    """Show an extension and what its scan found."""
    from symphony.v1.extension_service_pb2 import GetExtensionRequest
    from symphony_command.connection import connected
    from symphony_command.names import extension_id

    with connected(ctx) as server:
        wanted = extension_id(server, extension, project=project)
        found = server.extensions.GetExtension(GetExtensionRequest(id=wanted))
    _show(ctx, found)


@app.command("enable", cls=AskingCommand)
def enable(ctx: typer.Context, extension: Wanted, project: InProject = "") -> None:
    """Let steps use an extension."""
    _set_state(ctx, extension, project, ExtensionStateWord.ENABLED)


@app.command("disable", cls=AskingCommand)
def disable(ctx: typer.Context, extension: Wanted, project: InProject = "") -> None:
    """Let no step use an extension."""
    _set_state(ctx, extension, project, ExtensionStateWord.DISABLED)


@app.command("uninstall", cls=AskingCommand)
def uninstall(ctx: typer.Context, extension: Wanted, project: InProject = "") -> None:
    """Remove an extension that no workflow uses."""
    from symphony.v1.extension_service_pb2 import UninstallExtensionRequest
    from symphony_command.connection import connected
    from symphony_command.names import extension_id

    with connected(ctx) as server:
        gone = extension_id(server, extension, project=project)
        server.extensions.UninstallExtension(UninstallExtensionRequest(id=gone))
    typer.echo(f"removed {gone}", err=asked_of(ctx).json)


def _set_state(ctx: typer.Context, extension: str, project: str, state: ExtensionStateWord) -> None:
    from symphony.v1.extension_pb2 import Extension, ExtensionState
    from symphony.v1.extension_service_pb2 import UpdateExtensionRequest
    from symphony_command.connection import connected
    from symphony_command.names import extension_id

    with connected(ctx) as server:
        changed = Extension(
            id=extension_id(server, extension, project=project),
            state=enum_value(ExtensionState, state),
        )
        request = UpdateExtensionRequest(extension=changed)
        request.update_mask.paths.append("state")
        kept = server.extensions.UpdateExtension(request)
    _show(ctx, kept, said=state.value)


def _show(ctx: typer.Context, extension: Extension, said: str = "") -> None:
    from symphony.v1.extension_pb2 import (
        ExtensionState,
        ExtensionType,
        ScanSeverity,
        ScanVerdict,
    )

    if asked_of(ctx).json:
        print_json(json_of(extension))
        return
    out = console()
    if said:
        out.print(f"{said} {extension.name} {extension.version} {extension.id}".rstrip())
    else:
        out.print(
            fields_of(
                (
                    ("Extension", extension.id),
                    ("Name", f"{extension.name} {extension.version}"),
                    ("Type", enum_word(ExtensionType, extension.type)),
                    ("Publisher", extension.publisher),
                    ("Project", extension.project_id),
                    ("Installed by", extension.installed_by),
                    ("State", enum_word(ExtensionState, extension.state)),
                    ("Starts", extension.entry_point),
                    ("Permissions", "\n".join(extension.permissions) or "none"),
                    ("Scan", enum_word(ScanVerdict, extension.scan.verdict)),
                    ("Created", moment(extension.create_time)),
                    ("Updated", moment(extension.update_time)),
                    ("Etag", extension.etag),
                )
            )
        )
    if extension.scan.findings:
        columns: list[Column[Any]] = [
            Column("FOUND", lambda one: enum_word(ScanSeverity, one.severity), fold=False),
            Column("RULE", lambda one: one.rule_id),
            Column("WHERE", lambda one: one.path),
            Column("WHAT TO CHANGE", lambda one: one.message),
        ]
        out.print()
        out.print(table_of(extension.scan.findings, columns))
