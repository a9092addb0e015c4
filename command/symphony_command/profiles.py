"""`symphony profile`: servers and credentials, kept under a name."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from symphony_command.asking import LocalCommand, asked_of
from symphony_command.errors import NothingFound, UsageProblem
from symphony_command.output import Column, console, print_json, table_of
from symphony_command.profile_file import Profile, config_path, read_profiles, write_profile

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="Servers and the credentials for each, kept under a name in a config file.",
    epilog="Options win over variables (SYMPHONY_SERVER, SYMPHONY_TOKEN), and those over the "
    "profile: --profile, else SYMPHONY_PROFILE, else the current one.",
)

Name = Annotated[str, typer.Argument(help="The profile's name.")]


@app.command("add", cls=LocalCommand)
def add(
    name: Name,
    server: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the server is.")
    ] = "localhost:50051",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file with the token; it is read at each call."),
    ] = None,
    token_stdin: Annotated[
        bool,
        typer.Option("--token-stdin", help="Read the token from standard input and keep it."),
    ] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS, as the options below do.")] = False,
    tls_ca: Annotated[
        Path | None, typer.Option(metavar="PEM", help="The certificate authorities.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Your certificate, if the server asks.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
) -> None:
    """Keep a server under a name, and use it from now on; one of that name is replaced.

    Without --token-file or --token-stdin you are asked for the token on a terminal; it is not
    shown, and kept in the config file, which only you may read.
    """
    if not name or any(not character.isprintable() for character in name):
        raise UsageProblem("a profile has a name", "write one of visible characters")
    if (tls_cert is None) != (tls_key is None):
        raise UsageProblem("--tls-cert and --tls-key are given together or not at all")
    profile = Profile(
        server=server,
        token="" if token_file else _token(token_stdin),
        token_file=_absolute(token_file),
        tls=tls,
        tls_ca=_absolute(tls_ca),
        tls_cert=_absolute(tls_cert),
        tls_key=_absolute(tls_key),
    )
    read_profiles()  # a file that is broken is not written over
    write_profile(name, profile, current=name)
    typer.echo(f"{name} is kept in {config_path()} and is the current profile")


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    current: bool
    profile: Profile

    @property
    def token(self) -> str:
        """Where the token is, never what it is."""
        if self.profile.token_file:
            return self.profile.token_file
        return "kept here" if self.profile.token else "none"


@app.command("list", cls=LocalCommand)
def list_all(ctx: typer.Context) -> None:
    """Show the profiles; tokens are not shown."""
    profiles = read_profiles()
    rows = [
        _Row(name, name == profiles.current, profile) for name, profile in profiles.by_name.items()
    ]
    if asked_of(ctx).json:
        print_json(
            [
                {
                    "name": row.name,
                    "current": row.current,
                    "server": row.profile.server,
                    "token": row.token,
                    "tls": _speaks_tls(row.profile),
                }
                for row in rows
            ]
        )
        return
    if not rows:
        typer.echo("There are no profiles yet: symphony profile add --help", err=True)
        return
    columns: list[Column[_Row]] = [
        Column("", lambda row: "*" if row.current else "", fold=False),
        Column("NAME", lambda row: row.name),
        Column("SERVER", lambda row: row.profile.server),
        Column("TOKEN", lambda row: row.token),
        Column("TLS", lambda row: "yes" if _speaks_tls(row.profile) else "no", fold=False),
    ]
    console().print(table_of(rows, columns))


@app.command("use", cls=LocalCommand)
def use(name: Name) -> None:
    """Make a profile the one that is used unless another is asked for."""
    write_profile(name, _existing(name), current=name)
    typer.echo(f"{name} is the current profile")


@app.command("remove", cls=LocalCommand)
def remove(name: Name) -> None:
    """Forget a profile and its token."""
    _existing(name)
    current = read_profiles().current
    write_profile(name, None, current="" if current == name else current)
    typer.echo(f"{name} is removed")


def _existing(name: str) -> Profile:
    known = read_profiles().by_name
    if name not in known:
        raise NothingFound(
            f"there is no profile {name!r}", "symphony profile list shows those there are"
        )
    return known[name]


def _token(from_stdin: bool) -> str:
    if from_stdin:
        token = sys.stdin.read().strip()
        if not token:
            raise UsageProblem("standard input is empty", "pipe the token into the command")
        return token
    if not sys.stdin.isatty():
        return ""
    return str(
        typer.prompt("Token (empty for none)", default="", hide_input=True, show_default=False)
    )


def _absolute(path: Path | None) -> str:
    return "" if path is None else str(path.absolute())


def _speaks_tls(profile: Profile) -> bool:
    return bool(profile.tls or profile.tls_ca or profile.tls_cert)
