"""`symphony completion`: the script that lets a shell complete the command."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from symphony_command.asking import LocalCommand

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


class Shell(StrEnum):
    """A shell that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command("completion", cls=LocalCommand)
def completion(
    ctx: typer.Context, shell: Annotated[Shell, typer.Argument(help="Your shell.")]
) -> None:
    """Print the completion script of a shell; --install-completion puts it in its place."""
    from typer.completion import shell_complete

    command = ctx.find_root().command
    shell_complete(command, {}, "symphony", "_SYMPHONY_COMPLETE", f"source_{shell.value}")
