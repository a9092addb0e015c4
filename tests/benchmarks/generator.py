"""What makes the calls: the Go program in `load_go`, built once, or Python where there is no Go.

`BENCH_LOAD=python` has Python make them all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from tests.benchmarks.load import Outcome, Plan

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = Path(__file__).parent / "load_go"
PROGRAM: Final = ROOT / "build" / "load_go" / "load"
PYTHON: Final = (sys.executable, "-m", "tests.benchmarks.load")
BUILD_SECONDS: Final = 600


@cache
def generator() -> tuple[str, ...]:
    """The command that reads a plan; says in one line if it is not the Go program, and why."""
    if os.environ.get("BENCH_LOAD") == "python":
        return PYTHON
    newest = max(file.stat().st_mtime for file in SOURCES.iterdir())
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > newest:
        return (str(PROGRAM),)
    program = go()
    if program is None:
        why = "go is not on PATH"
    else:
        command = [program, "build", "-o", str(PROGRAM), "."]
        built = subprocess.run(
            command, cwd=SOURCES, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
        if built.returncode == 0:
            return (str(PROGRAM),)
        why = built.stderr.strip().replace("\n", "; ")[-300:]
    print(f"the calls are made by Python, which may be slower than the server: {why}")
    return PYTHON


def go() -> str | None:
    """The Go compiler, on PATH or where Go itself puts it."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def make_calls(plan: Plan) -> Outcome:
    """How the plan's calls went; raises on the first that fails."""
    with _running(plan) as process:
        return _outcome(process)


@contextmanager
def watching(plan: Plan) -> Iterator[WatchesOpen]:
    """The plan's streams, open, until the block ends."""
    with _running(plan) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "\n":
            _outcome(process)
        yield WatchesOpen(process)


class WatchesOpen:
    """Streams that are open and have heard nothing yet."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take over the generator."""
        self._process = process

    def make_changes(self) -> Outcome:
        """Make the plan's calls; how soon the streams were told."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return _outcome(self._process)


@contextmanager
def _running(plan: Plan) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        generator(),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(plan.model_dump_json() + "\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()  # does nothing to one that has ended


def _outcome(process: subprocess.Popen[str]) -> Outcome:
    said, error = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed: {error[-2000:]}")
    return Outcome.model_validate_json(said)
