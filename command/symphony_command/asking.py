"""What all commands that ask a server have in common: their options, and how they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from symphony_command.errors import exit_with_words
from symphony_command.exit_codes import ExitCode


class OutputFormat(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options common to all commands say."""

    profile: str | None = None
    server: str | None = None
    token_file: Path | None = None
    act_as: str | None = None
    output: OutputFormat = OutputFormat.TABLE

    @property
    def json(self) -> bool:
        """Whether the answer is for a program."""
        return self.output is OutputFormat.JSON


def asked_of(ctx: typer.Context) -> Asked:
    """What the options of this call say."""
    asked = ctx.obj
    return asked if isinstance(asked, Asked) else Asked()


class AskingCommand(typer.core.TyperCommand):
    """A command that takes the options of `Asked` besides its own, and tells errors in words."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        attributes["params"] = [*(attributes.get("params") or ()), *self.common_parameters()]
        super().__init__(name, **attributes)

    def common_parameters(self) -> list[Any]:
        """The options that are added."""
        return _common_parameters()

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong is told in words, with the exit code for it."""
        ctx.obj = Asked(**{one.name: ctx.params.pop(one.name) for one in self.common_parameters()})
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody reads any more; the interpreter would complain when it flushes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.NO_READER) from None
        except Exception as error:
            exit_with_words(error)
        else:
            return answer


class LocalCommand(AskingCommand):
    """A command that asks no server: of the common options it takes `--output` only."""

    def common_parameters(self) -> list[Any]:
        """The options that are added."""
        return [one for one in _common_parameters() if one.name == "output"]


def _profile_names(incomplete: str) -> list[str]:
    from symphony_command.profile_file import read_profiles

    return [name for name in read_profiles().by_name if name.startswith(incomplete)]


_PANEL = "Server and output"


def parameters_of(template: Callable[..., None]) -> list[Any]:
    """The options of a function, made as Typer makes them: it has no other way to share them."""
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    app.command()(template)
    command: Any = typer.main.get_command(app)
    return list(command.params)


@cache
def _common_parameters() -> list[Any]:
    return parameters_of(_common)


def _common(
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The profile to use. [env: SYMPHONY_PROFILE]",
            rich_help_panel=_PANEL,
            autocompletion=_profile_names,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The server to ask, with no profile's token. [env: SYMPHONY_SERVER]",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file with the token to ask with. [env: SYMPHONY_TOKEN, the token itself]",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    act_as: Annotated[
        str | None,
        typer.Option(
            metavar="USER",
            help="Act for this user, which takes the role ADMIN, or SERVICE and an id.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    output: Annotated[
        OutputFormat,
        typer.Option("--output", "-o", help="For people or for programs.", rich_help_panel=_PANEL),
    ] = OutputFormat.TABLE,
) -> None:
    """Never run: a template for the options."""
