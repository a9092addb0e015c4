"""Processes that are measured: started, read and ended; their CPU time and memory (Linux)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.processes import bare_environment
from tests.postgresql import Postgresql

ROOT: Final = Path(__file__).parents[2]
SYMPHONY: Final = str(Path(sys.executable).with_name("symphony"))
ADMIN: Final = "bench@localhost"
_SCHEDULED: Final = 2
"""Of a CPU clock's number: that it counts what the scheduler gave (linux/posix-timers.h)."""


class DidNotStart(RuntimeError):
    """A process ended, or said something else, instead of where it serves."""


@contextmanager
def started(
    command: Sequence[str], directory: Path, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[int, str]]:
    """A server's process id and address, once it says `… on 127.0.0.1:PORT`; it is ended with the
    block.
    """
    log = directory / f"{Path(command[0]).name}.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**bare_environment(), "PYTHONPATH": str(ROOT), **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if " on 127.0.0.1:" not in line:
            raise DidNotStart(f"{' '.join(command)}: {line}{log.read_text()[-2000:]}")
        yield process.pid, line.split()[-1]
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def serving(
    directory: Path, url: str, *, workers: int = 1, token_file: str = ""
) -> Iterator[tuple[int, str]]:
    """`symphony serve` on a database; with a token file the first ADMIN is made.

    One user makes all the calls, more a second than any tier allows, so that there is no limit
    on the rate.
    """
    directory.mkdir(exist_ok=True)
    command = [SYMPHONY, "serve", "--listen", "127.0.0.1:0", "--database", url]
    command += ["--no-rate-limits", "--workers", str(workers)]
    if token_file:
        command += ["--bootstrap-admin", ADMIN, "--token-file", token_file]
    with started(command, directory) as (process_id, target):
        yield process_id, target.rpartition("/")[2]


def postmaster(server: Postgresql) -> int:
    """The id of PostgreSQL's first process."""
    return int((server.directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def family(process_id: int) -> list[int]:
    """The process and all that it, or one of them, started."""
    found = [process_id]
    for member in found:
        for task in Path(f"/proc/{member}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(process_id: int) -> float:
    """The CPU time that a process and those it started have used, with all their threads."""
    return sum(time.clock_gettime(~member << 3 | _SCHEDULED) for member in family(process_id))


def memory_kib(process_id: int) -> int:
    """The memory that the process and those it started have, as `ps` counts it (RSS)."""
    total = 0
    for member in family(process_id):
        status = Path(f"/proc/{member}/status").read_text().splitlines()
        total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return total


def machine() -> dict[str, str]:
    """What a figure says nothing without."""
    about = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in about if "model name" in line), "?")
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "CPU": model,
        "Python": ".".join(map(str, sys.version_info[:3])),
        "system": f"{os.uname().sysname} {os.uname().release.partition('-')[0]}",
    }


def free_port() -> int:
    """A port on loopback that nobody has; for programs that cannot choose one themselves."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
