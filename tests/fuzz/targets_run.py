"""Runs every target in a process of its own, several at once, and says what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.e2e.processes import environment
from tests.fuzz.target_table import NAMES

ROOT: Final = Path(__file__).parents[2]
MOST_SAID: Final = 4000
MORE_SECONDS: Final = 120
"""What a process may take beyond its time: to start, and to tell what it found."""


@dataclass(frozen=True)
class Outcome:
    """What came of one target."""

    name: str
    tried: int
    failed: str
    """What was found, with its bytes; empty when all was well."""


def engine() -> str:
    """The module that runs targets here."""
    return "with_atheris" if find_spec("atheris") else "with_hypothesis"


def run_all(seconds: float, directory: Path) -> list[Outcome]:
    """Run all targets within so many seconds, as many at once as there are processors. What
    atheris learnt is kept in the directory, for the next run to go on from.
    """
    at_once = os.cpu_count() or 1
    each = seconds * min(at_once, len(NAMES)) / len(NAMES)
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(partial(_run, each, directory), NAMES))


def _run(seconds: float, directory: Path, name: str) -> Outcome:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.fuzz.{engine()}", name, str(seconds), str(directory)],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=seconds + MORE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(name, 0, "it does not end")
    tried = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    said = ""
    if done.returncode or not tried:
        # What was raised stands before what the fuzzer says of it.
        raised = max(done.stderr.find("=== Uncaught"), len(done.stderr) - MOST_SAID, 0)
        said = done.stderr[raised : raised + MOST_SAID] or "it says nothing"
    return Outcome(name, int(tried[1]) if tried else 0, said)
