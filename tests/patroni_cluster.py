"""Two PostgreSQL servers under Patroni, which keeps in an etcd who of them is the primary.

Nothing is done by hand but what happens to a machine: it is lost, and it comes back. Patroni
promotes the standby, and makes the lost primary the standby again, by `pg_rewind`.

`synchronous_mode` is on, so that only a standby that has every acknowledged write is promoted.
`synchronous_mode_strict` is off: of two nodes, the one that is left would acknowledge nothing until
the lost one is back. As long as it is alone Patroni lets nobody take its place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from tests.benchmarks import etcd
from tests.benchmarks.processes import free_port
from tests.postgresql import is_in_reach, reachable_programs, unprivileged

TTL_SECONDS: Final = 20
"""So long a primary that is gone keeps its lock. Patroni raises what is less to 20."""
LOOP_SECONDS: Final = 1
RETRY_SECONDS: Final = 3
"""The least that Patroni takes."""
WAIT_SECONDS: Final = 120
"""For a copy of everything, or a rewind, on a busy machine."""
_HOST: Final = "127.0.0.1"
_USER: Final = {"username": "postgres"}
_SAID: Final = 2000
"""Characters of a log's end that are shown when something does not happen."""
_SEARCHING: Final = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""Lets another user run a Python that lies in root's own folder."""


def cannot_run() -> str:
    """Why Patroni does not run here, in a line; empty where it does."""
    if etcd.installed() is None:
        return "etcd, where Patroni keeps who is the primary, is not on PATH (Debian: etcd-server)"
    if not _command():
        return f"who is not root, as PostgreSQL wants it, cannot run {sys.executable} -m patroni"
    return ""


def _command() -> list[str]:
    """What runs Patroni, as the user that PostgreSQL runs as; empty if nothing does."""
    program = [sys.executable, "-m", "patroni"]
    prefix = unprivileged()
    for more in ((), _SEARCHING) if prefix else ((),):
        if is_in_reach([*prefix, *more], *program):
            return [*prefix, *more, *program]
    return []


class _Node:
    """A machine: Patroni and its PostgreSQL."""

    def __init__(
        self, name: str, directory: Path, etcd_address: str, command: list[str], programs: Path
    ) -> None:
        self.name, self.port, self._rest_port = name, free_port(), free_port()
        self._command, self._programs = command, programs
        self._data = directory / name
        self._file = directory / f"{name}.json"
        self._log = directory / f"{name}.log"
        self._file.write_text(json.dumps(self._settings(etcd_address)))
        self._patroni: subprocess.Popen[bytes] | None = None

    def _settings(self, etcd_address: str) -> dict[str, Any]:
        address = f"{_HOST}:{self.port}"
        rest = f"{_HOST}:{self._rest_port}"
        everywhere = f"{_HOST}/32"
        return {
            "scope": "symphony",
            "name": self.name,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": etcd_address},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_SECONDS,
                    "loop_wait": LOOP_SECONDS,
                    "retry_timeout": RETRY_SECONDS,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": False,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {"max_connections": 300, "autovacuum": "off"},
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}, "no-sync"],
            },
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": str(self._data),
                "bin_dir": str(self._programs),
                "pgpass": f"{self._data}.pgpass",
                "authentication": {"superuser": _USER, "replication": _USER},
                "pg_hba": [
                    f"host {databases} postgres {everywhere} trust"
                    for databases in ("all", "replication")
                ],
                "parameters": {
                    "unix_socket_directories": str(self._data.parent),
                    "shared_buffers": "32MB",
                },
            },
        }

    def start(self) -> None:
        """Start Patroni, which starts the rest."""
        with self._log.open("ab") as log:
            self._patroni = subprocess.Popen(
                [*self._command, self._file],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data.parent,
                # Patroni, etcd and libpq would take settings from ours.
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._data.parent)},
            )

    def lose(self) -> None:
        """Kill all of its processes, as if the machine were gone."""
        if self._patroni is None:
            return
        self._patroni.kill()  # before it sees the others end, which it would tell of
        self._patroni.wait()
        while started := self._started():
            with suppress(psutil.NoSuchProcess):
                for process in started:
                    process.suspend()  # so that it makes no more of them meanwhile
            for process in started:
                _kill_family(process)

    def _started(self) -> list[psutil.Process]:
        """Processes that were started with something of the node on their command line."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self._data) in argument for argument in process.info["cmdline"] or ())
        ]

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; returns the rows, if there are any."""
        url = f"postgresql://postgres@{_HOST}:{self.port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def takes_writes(self) -> bool:
        """Whether it is a primary."""
        try:
            return self.execute("SELECT pg_is_in_recovery()") == [(False,)]
        except psycopg.OperationalError:
            return False

    def is_synchronous_standby(self) -> bool:
        """Whether each COMMIT waits for it, and it may be promoted: Patroni writes down the second
        once the first is so.
        """
        connection = HTTPConnection(_HOST, self._rest_port, timeout=RETRY_SECONDS)
        try:
            connection.request("GET", "/synchronous")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Return once it is so. Raises RuntimeError, with the end of its log, if that takes long
        or Patroni ended.
        """
        last = time.monotonic() + WAIT_SECONDS
        while not happened():
            ended = self._patroni is None or self._patroni.poll() is not None
            if ended or time.monotonic() > last:
                raise RuntimeError(f"{happened.__name__}: {self._log.read_text()[-_SAID:]}")
            time.sleep(0.02)  # nothing tells but asking


def _kill_family(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        for each in (*process.children(recursive=True), process):
            with suppress(psutil.NoSuchProcess):
                each.kill()


class PatroniCluster:
    """A primary and its synchronous standby, of which either may be lost."""

    unnoticed_seconds: float = TTL_SECONDS + LOOP_SECONDS
    """So long nobody may be the primary, until Patroni begins to promote the standby."""

    def __init__(self, primary: _Node, standby: _Node) -> None:
        """Start both."""
        self.primary, self.standby = primary, standby
        self.primary.start()
        self.primary.wait_until(self.primary.takes_writes)
        self.restore_the_standby()

    def make_database(self, name: str) -> str:
        """Returns the URL by which a server finds whichever of them takes writes."""
        self.primary.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        ports = sorted((self.primary.port, self.standby.port))
        hosts = ",".join(f"{_HOST}:{port}" for port in ports)
        return f"postgresql://postgres@{hosts}/{name}"

    def lose_the_primary(self) -> None:
        """Kill the primary and its Patroni as if their machine were gone."""
        assert self.primary.takes_writes(), "Patroni has changed the primary by itself"
        self.primary.lose()

    def fail_over(self) -> None:
        """Return when Patroni has promoted the standby."""
        self.standby.wait_until(self.standby.takes_writes)
        self.primary, self.standby = self.standby, self.primary

    def restore_the_standby(self) -> None:
        """Start the lost one, and return once Patroni has made it the synchronous standby."""
        self.standby.start()
        self.standby.wait_until(self.standby.is_synchronous_standby)


@contextmanager
def running_patroni() -> Iterator[PatroniCluster]:
    """Both and their etcd, for as long as the block lasts."""
    directory = Path(tempfile.mkdtemp(prefix="patroni-"))
    try:
        programs, command = reachable_programs(directory), _command()
        with etcd.serving(directory) as (_, address), ExitStack() as stack:
            first, second = (
                _Node(name, directory, address, command, programs) for name in ("first", "second")
            )
            stack.callback(first.lose)
            stack.callback(second.lose)
            yield PatroniCluster(first, second)
    finally:
        shutil.rmtree(directory)
