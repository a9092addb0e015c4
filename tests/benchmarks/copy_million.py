"""`python -m tests.benchmarks.copy_million`: what `symphony copy` takes for many workflows.

Fills a SQLite database past the rules, but with the rows, audit records and changes that real
calls would have left, copies it to PostgreSQL and back, and prints how long that took and how
much memory the command had at most.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from tests.benchmarks.filling import fill
from tests.postgresql import running

_MEASURED: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
"""
"""From a process of its own, and a small one: a new process is counted as having as much memory as
the one that started it."""


@dataclass(frozen=True)
class Run:
    """How a command went."""

    seconds: float
    peak_mib: float


def main() -> None:
    """Fill, copy there and back, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflows", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="where the files go; a temporary one")
    parser.add_argument("--there-only", action="store_true", help="do not copy back")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as name, running(quick=False) as server:
        directory = Path(name)
        source = f"sqlite:///{directory / 'source.db'}"
        began = time.monotonic()
        fill(directory, source, given.workflows)
        size = (directory / "source.db").stat().st_size >> 20
        print(f"filled {size} MiB in {time.monotonic() - began:.0f} s", flush=True)
        there = server.migrated_database()
        show("SQLite to PostgreSQL", copy(source, there))
        if not given.there_only:
            back = f"sqlite:///{directory / 'back.db'}"
            migrate(parse_url(back))
            show("PostgreSQL to SQLite", copy(there, back))


def copy(source: str, target: str) -> Run:
    """Run the command to its end; it prints its own table."""
    command = str(Path(sys.executable).with_name("symphony"))
    began = time.monotonic()
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURED, command, "copy", "--from", source, "--to", target],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *table, peak_kib = measured.stdout.splitlines()
    print("\n".join(table))
    return Run(time.monotonic() - began, int(peak_kib) / 1024)


def show(what: str, run: Run) -> None:
    """Print the figures of a copy."""
    print(f"{what}: {run.seconds:.0f} s, at most {run.peak_mib:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
