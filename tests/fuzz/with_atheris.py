"""Runs one target under atheris, Google's fuzzer for Python guided by the branches it reaches:

    python -m tests.fuzz.with_atheris TARGET SECONDS DIRECTORY

Goes on from the seeds and what earlier runs left in DIRECTORY/TARGET, and ends with the first
finding, whose bytes it leaves in DIRECTORY as `TARGET-crash-…`, or `-timeout-…`, or `-oom-…`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.fuzz.target_table import CORPUS, load

HANG_SECONDS: Final = 10
MOST_MEMORY_MIB: Final = 1500
GUIDED: Final = ["symphony_server", "jwt", "tests.fuzz.targets"]
"""What is looked into: only where branches are seen can the fuzzer aim."""


def main(arguments: Sequence[str]) -> None:
    """Never returns: the fuzzer ends the process itself."""
    name, seconds, directory = arguments[0], float(arguments[1]), Path(arguments[2])
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=GUIDED):
        target = load(name)
    found = directory / name
    found.mkdir(parents=True, exist_ok=True)
    options = (
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={target.max_bytes}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MOST_MEMORY_MIB}",
        f"-artifact_prefix={directory / name}-",
        "-print_final_stats=1",
        "-verbosity=0",
    )
    corpora = [str(found), str(CORPUS / name)]
    atheris.Setup([sys.argv[0], *options, *corpora], target.try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main(sys.argv[1:])
