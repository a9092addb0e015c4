"""The entry point: every command by name, and where it is."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, Final

import typer

from symphony_command.exit_codes import ExitCode
from symphony_command.lazy_commands import LazyGroup, server_is_installed

_OF_PEOPLE: Final = {
    "workflows": "symphony_command.workflows:app",
    "projects": "symphony_command.projects:app",
    "users": "symphony_command.users:app",
    "extensions": "symphony_command.extensions:app",
    "executions": "symphony_command.executions:app",
    "watch": "symphony_command.changes:app",
    "can": "symphony_command.access:app/can",
    "explain": "symphony_command.access:app/explain",
    "whoami": "symphony_command.access:app/whoami",
    "info": "symphony_command.server_info:app",
    "audit": "symphony_command.audit:app",
    "profile": "symphony_command.profiles:app",
    "completion": "symphony_command.completion:app",
}

_OF_THE_SERVER: Final = {
    "serve": "symphony_server.cli:app/serve",
    "migrate": "symphony_server.cli:app/migrate",
    "token": "symphony_server.cli:app/token",
    "backup": "symphony_server.cli:app/backup",
    "restore": "symphony_server.cli:app/restore",
    "copy": "symphony_server.cli:app/copy",
}


class _Commands(LazyGroup):
    @classmethod
    def places(cls) -> Mapping[str, str]:
        return {**_OF_PEOPLE, **(_OF_THE_SERVER if server_is_installed() else {})}


app = typer.Typer(
    cls=_Commands,
    help="The Symphony data layer: users, projects and workflows behind one gRPC contract.",
    epilog="Which server: symphony profile --help. Exit codes, JSON and more: docs/command.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"symphony {version('symphony-data')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; it ends with one of the exit codes of `exit_codes`."""
    try:
        app(prog_name="symphony")
    except Exception:
        traceback.print_exc()
        sys.exit(ExitCode.FAULT)
