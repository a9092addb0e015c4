"""The server's own commands, which `symphony` mounts by name."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from symphony_server.settings import Settings

if TYPE_CHECKING:
    from symphony_server.audit_verification import Fault

app = typer.Typer(
    help="The Symphony data layer: users, projects and workflows behind one gRPC contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # by default [env: ...] is taken for markup, and not shown
)
token_app = typer.Typer(
    help="Access tokens, made and revoked in the database itself, for whoever holds it.",
    no_args_is_help=True,
)
app.add_typer(token_app, name="token")
audit_app = typer.Typer(
    help="The audit log, proven whole in the database itself.", no_args_is_help=True
)
app.add_typer(audit_app, name="audit")

T = TypeVar("T")

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Where the data is. [env: SYMPHONY_DATABASE_URL; default: sqlite:///symphony.db]",
    ),
]

Progress = Annotated[bool, typer.Option("--progress/--no-progress", help="Tell how far it is.")]


@app.command()
def serve(
    database: Database = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to serve. [env: SYMPHONY_LISTEN; default: 127.0.0.1:50051]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes that serve together. SIGHUP exchanges them one by one. "
            "[env: SYMPHONY_WORKERS; default: 1]",
        ),
    ] = None,
    bootstrap_admin: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL",
            help="On an empty database, make the first ADMIN. [env: SYMPHONY_BOOTSTRAP_ADMIN]",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Where the first ADMIN's token is written. [env: SYMPHONY_TOKEN_FILE]",
        ),
    ] = None,
    dev: Annotated[
        bool | None,
        typer.Option(
            "--dev",
            help="For trying out: --bootstrap-admin admin@localhost --token-file symphony.token, "
            "and a small demo world. [env: SYMPHONY_DEV]",
        ),
    ] = None,
    insecure: Annotated[
        bool | None,
        typer.Option(
            "--insecure",
            help="Serve without TLS beyond loopback all the same. [env: SYMPHONY_INSECURE]",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM", help="The server's certificate chain. [env: SYMPHONY_TLS_CERT]"
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Its private key. [env: SYMPHONY_TLS_KEY]"),
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="The CA of client certificates; a client that shows one is the user it names. "
            "[env: SYMPHONY_TLS_CLIENT_CA]",
        ),
    ] = None,
    tls_require_client_cert: Annotated[
        bool | None,
        typer.Option(
            "--tls-require-client-cert",
            help="Take only connections with a client certificate. "
            "[env: SYMPHONY_TLS_REQUIRE_CLIENT_CERT]",
        ),
    ] = None,
    jwt_issuer: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The identity provider, as in 'iss'. [env: SYMPHONY_JWT_ISSUER]"
        ),
    ] = None,
    jwt_audience: Annotated[
        str | None,
        typer.Option(help="This service, as in 'aud'. [env: SYMPHONY_JWT_AUDIENCE]"),
    ] = None,
    jwt_keys: Annotated[
        str | None,
        typer.Option(metavar="FILE|URL", help="The provider's JWKS. [env: SYMPHONY_JWT_KEYS]"),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to serve Prometheus metrics; any address, for they hold no secrets. "
            "[env: SYMPHONY_METRICS; default: nowhere]",
        ),
    ] = None,
    traces: Annotated[
        bool | None,
        typer.Option(
            "--traces",
            help="Send OpenTelemetry spans where the OTEL_… variables say. [env: SYMPHONY_TRACES]",
        ),
    ] = None,
    rate_limits: Annotated[
        bool | None,
        typer.Option(
            help="Hold users to their tier's requests a second. "
            "[env: SYMPHONY_RATE_LIMITS; default: yes]"
        ),
    ] = None,
    auto_migrate: Annotated[
        bool | None,
        typer.Option(
            help="Apply pending migrations at start. [env: SYMPHONY_AUTO_MIGRATE; default: yes]"
        ),
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what runs and exit with 0."""
    given = _given(
        database_url=database,
        listen=listen,
        workers=workers,
        bootstrap_admin=bootstrap_admin,
        token_file=token_file,
        dev=dev,
        insecure=insecure,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        tls_require_client_cert=tls_require_client_cert,
        jwt_issuer=jwt_issuer,
        jwt_audience=jwt_audience,
        jwt_keys=jwt_keys,
        metrics=metrics,
        traces=traces,
        rate_limits=rate_limits,
        auto_migrate=auto_migrate,
    )
    settings = _settings(**given)
    if settings.workers == 1:
        run_server(given, _serve)
    else:
        _supervise(settings, given)


def run_server(
    given: dict[str, Any], serve: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    """Serve in this process until told to end, with the settings that are given and the
    environment's. Raises typer.Exit.
    """
    settings = _settings(**given)
    from symphony_server.logs import configure_logging
    from symphony_server.serving_process import set_before_grpc

    set_before_grpc()
    configure_logging(settings)
    # Here, so that `--help` and `--version` do not wait for grpc.
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        _or_exit(lambda: runner.run(serve(settings)))


def _supervise(settings: Settings, given: dict[str, Any]) -> None:
    """Let several workers serve. Nothing here imports grpc."""
    from symphony_server.logs import configure_logging
    from symphony_server.supervisor import supervise

    configure_logging(settings)
    if settings.database_url.startswith("sqlite:"):
        typer.echo(
            "symphony: on SQLite workers write in turn, and hear of each other's changes up to a "
            "second late; with PostgreSQL at once",
            err=True,
        )

    def announce(target: str, made_admin: bool) -> None:
        _announce(settings, target, made_admin)

    code = _or_exit(lambda: supervise(settings, given, announce))
    if code:
        raise typer.Exit(code)


async def _serve(settings: Settings) -> None:
    from symphony_server.serving_process import start_alone

    server = await start_alone(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        _announce(
            settings, f"{settings.listen.rpartition(':')[0]}:{server.port}", server.made_admin
        )
        await stop.wait()
        _say("stopping: finishing the calls under way")
    finally:
        await server.stop()


def _say(text: str) -> None:
    """Tell whoever started the server, if anybody still listens."""
    try:
        typer.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody does. Python would flush once more at its end, and fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _announce(settings: Settings, target: str, made_admin: bool) -> None:
    from symphony_server.store.database import parse_url

    database = parse_url(settings.database_url)  # which shows no password
    _say(f"Symphony {version('symphony-data')} serves {database} on {target}")
    if made_admin:
        _say(f"made the first ADMIN, {settings.bootstrap_admin}; token: {settings.token_file}")
    if settings.dev and settings.token_file is not None:
        _say(_first_steps(target, settings.token_file))


def _first_steps(target: str, token_file: Path) -> str:
    """Three commands that work as they are pasted."""
    beside = Path(sys.executable).with_name("grpcurl")
    grpcurl = "grpcurl"
    if shutil.which("grpcurl") is None and beside.exists():
        cwd = Path.cwd()
        grpcurl = shlex.quote(
            str(beside.relative_to(cwd)) if beside.is_relative_to(cwd) else str(beside)
        )
    if not token_file.exists():
        return (
            f"the token file {token_file} is gone; make another token with\n"
            f"  symphony token create --user admin@localhost"
        )
    bearer = f'-H "authorization: Bearer $(cat {shlex.quote(str(token_file))})"'
    call = f"{grpcurl} -plaintext"
    return "\n".join(
        (
            "try it from this directory, in another terminal:",
            f"  {call} {target} symphony.v1.ServerInfoService/GetServerInfo",
            f"  {call} {bearer} {target} symphony.v1.AccessService/WhoAmI",
            f'  {call} {bearer} -d \'{{"name_prefix": "test"}}\' {target} '
            "symphony.v1.WorkflowService/ListWorkflows",
        )
    )


@app.command()
def migrate(
    database: Database = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say which migrations are pending.")
    ] = False,
) -> None:
    """Bring the database's schema to this version."""
    settings = _settings(database_url=database)
    from symphony_server.store import migrate as migrations
    from symphony_server.store.database import parse_url

    def run() -> list[str]:
        address = parse_url(settings.database_url)
        return migrations.pending(address) if plan else migrations.migrate(address)

    names = _or_exit(run)
    said = "pending" if plan else "applied"
    typer.echo("\n".join(f"{said} {name}" for name in names) or "nothing to do")


@token_app.command("create")
def token_create(
    user: Annotated[str, typer.Option(help="The user: an id or an e-mail address.")],
    name: Annotated[str, typer.Option(help="A name that tells it from others.")] = "cli",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission or its prefix, e.g. 'workflows.'; again for more."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36500, help="Ends after so many days.")
    ] = None,
    database: Database = None,
) -> None:
    """Make a token and print its secret, this once."""
    from symphony_server import operator_tokens

    made = _on_database(
        database,
        lambda store, deployment: operator_tokens.create(
            store, deployment, user=user, name=name, scopes=scope or ["*"], days=days
        ),
    )
    typer.echo(f"{made.token.id} {made.token.name}", err=True)
    typer.echo(made.secret)


@token_app.command("list")
def token_list(
    user: Annotated[str, typer.Option(help="The user: an id or an e-mail address.")],
    database: Database = None,
) -> None:
    """List a user's tokens."""
    from rich.console import Console
    from rich.table import Table

    from symphony_server import operator_tokens

    tokens = _on_database(database, lambda store, _: operator_tokens.list_all(store, user=user))
    if not sys.stdout.isatty():
        for token in tokens:
            typer.echo("\t".join((token.id, token.name, *operator_tokens.times(token))))
        return
    table = Table("ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED")
    for token in tokens:
        table.add_row(token.id, token.name, " ".join(token.scopes), *operator_tokens.times(token))
    Console().print(table)


@token_app.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="token_…, from 'list'.")],
    database: Database = None,
) -> None:
    """Revoke a token: running servers refuse it within a second."""
    from symphony_server import operator_tokens

    _on_database(
        database,
        lambda store, deployment: operator_tokens.revoke(store, deployment, token_id=token_id),
    )
    typer.echo(f"revoked {token_id}")


@audit_app.command("head")
def audit_head(database: Database = None) -> None:
    """Print the signed head of the audit log as JSON; kept elsewhere, it is for 'verify'."""
    settings = _settings(database_url=database)
    from symphony_server import operator_audit

    typer.echo(_or_exit(lambda: asyncio.run(operator_audit.signed_head(settings))))


@audit_app.command("verify")
def audit_verify(
    database: Database = None,
    head: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A head that was kept elsewhere, as JSON; again for more. Only a head tells "
            "that the log was cut off, or written anew with its tree.",
        ),
    ] = None,
) -> None:
    """Recompute the audit log's tree; names the first record that is not as it was written."""
    settings = _settings(database_url=database, auto_migrate=False)
    from symphony_server import operator_audit

    heads = head or []
    verdict = _or_exit(lambda: asyncio.run(operator_audit.verify(settings, heads)))
    if verdict.fault is not None:
        _tell_fault(verdict.fault)
    typer.echo(f"{verdict.size} records are as they were written, root {verdict.root.hex()}")
    for path in heads:
        typer.echo(f"they go on from the head in {path}")


@app.command("backup")
def back_up(
    file: Annotated[Path, typer.Argument(help="Where to; for its owner only to read.")],
    database: Database = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    progress: Progress = True,
) -> None:
    """Back up the database into a file, while servers write to it.

    The backup is of one moment: everything that was acknowledged before is in it, and it has the
    tokens' hashes and the server's keys as well. Of SQLite it is a database in one file, checked;
    of PostgreSQL what `pg_dump` writes in its custom format. `pg_dump` is looked for in
    SYMPHONY_PG_BIN, or on PATH; it must be of the server's version or later.
    """
    settings = _settings(database_url=database)
    from symphony_server import operator_backup, operator_progress, operator_reports

    def run() -> operator_backup.BackedUp:
        with operator_progress.shown(wanted=progress) as shown:
            return operator_backup.backup(settings, file, shown, force=force)

    operator_reports.print_backed_up(file, _or_exit(run))


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="What 'symphony backup' wrote.")],
    database: Database = None,
    force: Annotated[
        bool, typer.Option("--force", help="Give up what is in the database, if anything is.")
    ] = False,
    same_history: Annotated[
        bool,
        typer.Option(
            "--same-history",
            help="Nothing was written since the backup: revisions go on from it.",
        ),
    ] = False,
    progress: Progress = True,
) -> None:
    """Put a backup in the place of the database, all of it or nothing, and verify its audit log.

    Stop the servers first. A backup of an older version is migrated to this one.

    Who watches, and every replica, starts afresh by itself: the revisions go on a billion higher
    than in the backup, and a watch from any earlier one, of before the backup or after it, is
    refused as REVISION_COMPACTED. Were the revisions used again, one that was away while others
    wrote to the restored database would not notice that it follows another history.

    What was done since the backup is undone: a token that was revoked is good again. Audit heads
    that were kept before the backup agree with it; those from after it do not, for the records
    that they cover are lost.
    """
    settings = _settings(database_url=database)
    from symphony_server import operator_backup, operator_progress, operator_reports

    def run() -> operator_backup.Restored:
        with operator_progress.shown(wanted=progress) as shown:
            return operator_backup.restore(
                settings, file, shown, force=force, same_history=same_history
            )

    restored = _or_exit(run)
    operator_reports.print_restored(file, restored)
    if restored.verdict.fault is not None:
        _tell_fault(restored.verdict.fault)


@app.command("copy")
def copy_database(
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="What to copy; it is only read.")
    ],
    target: Annotated[
        str,
        typer.Option("--to", metavar="URL", help="Where to: a database without rows, migrated."),
    ],
    progress: Progress = True,
) -> None:
    """Copy a database into another, of whichever engine, and compare the two row by row.

    Everything is copied: audit log, revisions, tokens, remembered requests, keys. So a server on
    the copy goes on where the source's was: tokens are good, watchers resume, heads agree.

    The copy is of one moment. What a server writes to the source after that is not copied: stop it
    first, unless this is only to try.

    Unless every row is equal and the audit log's tree is the source's, the target stays empty.
    Beside a SQLite target a copy that is killed leaves its draft, `FILE.….new`, to be removed.
    """
    from symphony_server import operator_copy, operator_progress, operator_reports

    def run() -> operator_copy.Copied:
        with operator_progress.shown(wanted=progress) as shown:
            return operator_copy.copy(source, target, shown)

    operator_reports.print_copied(_or_exit(run))


def _tell_fault(fault: Fault) -> NoReturn:
    typer.echo(f"symphony: record {fault.sequence} {fault.problem}", err=True)
    raise typer.Exit(1)


def _on_database(database: str | None, work: Callable[[Any, Any], Coroutine[Any, Any, T]]) -> T:
    """Do something in the database itself, whether or not a server runs on it."""
    settings = _settings(database_url=database)
    from symphony_server.main import deploy, open_store

    async def run() -> T:
        store = open_store(settings)
        store.start()
        try:
            return await work(store, await deploy(settings, store))
        finally:
            await store.close()

    return _or_exit(lambda: asyncio.run(run()))


def _given(**options: Any) -> dict[str, Any]:
    """What was said on the command line."""
    return {name: value for name, value in options.items() if value is not None}


def _settings(**given: Any) -> Settings:
    """The settings, or an exit that names each wrong one."""
    try:
        return Settings(**_given(**given))
    except ValidationError as error:
        for wrong in error.errors():
            name = ".".join(str(part) for part in wrong["loc"])
            message = wrong["msg"].removeprefix("Value error, ")
            variable = f"{name} (SYMPHONY_{name.upper()}): " if name else ""
            typer.echo(f"symphony: {variable}{message}", err=True)
        raise typer.Exit(2) from None


def _or_exit(work: Callable[[], T]) -> T:
    """What the work returns, or an exit with a sentence for what a person can mend."""
    from symphony_server.refusal import Refused
    from symphony_server.store.database import UnsupportedDatabase
    from symphony_server.store.migrate import SchemaNewer, SchemaOutdated

    try:
        return work()
    except (UnsupportedDatabase, SchemaNewer, SchemaOutdated) as error:
        typer.echo(f"symphony: {error}", err=True)
        raise typer.Exit(2) from None
    except Refused as refused:
        for violation in refused.violations:
            typer.echo(f"symphony: {violation.description}", err=True)
        raise typer.Exit(1) from None
    except (OSError, RuntimeError) as error:
        typer.echo(f"symphony: {error}", err=True)
        raise typer.Exit(1) from None
