"""`make profile`: where a call's time goes, by py-spy, in parts that add up and as flame graphs.

A sample is counted for the innermost of `PARTS` that it is in. Only Python is told apart: what gRPC
and SQLite do in C counts for the Python that called them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.asked import CALLS, prepare
from tests.benchmarks.generator import make_calls
from tests.benchmarks.processes import ROOT, serving

SAMPLES_A_SECOND: Final = 500
SECONDS: Final = 12
PY_SPY: Final = str(Path(sys.executable).with_name("py-spy"))
PARTS: Final[Mapping[str, str]] = {
    "commit: write-ahead log and fsync": r"commit \(symphony_server/store",
    "audit record and change, their tree": r"symphony_server/(store/audit|store/merkle"
    r"|store/change_log|use_cases/recording)",
    "other statements and rows": r"symphony_server/store/(?!write_door|read_door|transaction"
    r"|sqlite_store|postgresql_store)",
    "permissions and rules": r"symphony_server/(access/(decisions|permissions)|rules"
    r"|use_cases/(judgement|facts|workflows/judge_spec))",
    "who calls": r"symphony_server/(access/|rpc/stages/(authenticate|rate_limit))",
    "structure: parsing and the contract's rules": r"symphony_server/rpc/(structure"
    r"|stages/check_structure)",
    "the use case itself": r"symphony_server/use_cases",
    "batches and doors": r"symphony_server/store",
    "the other stages": r"symphony_server/rpc",
    "gRPC and the event loop": r"",
}
"""Part → what its frames match; the first part that a frame matches has it."""
_FRAME: Final = re.compile(r"^(?P<function>.*) \((?P<file>[^:]*)")


def main() -> None:
    """Record, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="get,create", help=f"of {', '.join(CALLS)}")
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "assets")
    given = parser.parse_args()
    for call in given.only.split(","):
        with tempfile.TemporaryDirectory() as directory:
            stacks = record(call, Path(directory), given.into, given.seconds)
        show(call, shares(stacks))


def record(call: str, directory: Path, into: Path, seconds: int) -> list[str]:
    """The stacks of a server that answers such calls all the while, each with its count; the flame
    graph is drawn from other samples of the same run.
    """
    url = f"sqlite:///{directory / 'profile.db'}"
    with serving(directory / "server", url, token_file="token") as (process_id, target):
        asked = prepare(target, directory / "server" / "token")
        plan = asked.plan(call, target, seconds=2.0 * seconds + 6)
        load = threading.Thread(target=make_calls, args=[plan])
        load.start()
        stacks = directory / "stacks"
        _py_spy(process_id, "raw", stacks, seconds)
        picture = into / f"flame-{call}.svg"
        _py_spy(process_id, "flamegraph", picture, seconds)
        picture.write_text(without_places(picture.read_text()))
        load.join()
        return stacks.read_text().splitlines()


def without_places(text: str) -> str:
    """The text without where this machine keeps the project and Python."""
    for place in (ROOT, Path(sys.base_prefix)):
        text = text.replace(f"{place}/", "")
    return text


def _py_spy(process_id: int, kind: str, output: Path, seconds: int) -> None:
    subprocess.run(
        [
            *(PY_SPY, "record", "--pid", str(process_id), "--format", kind),
            *("--rate", str(SAMPLES_A_SECOND), "--duration", str(seconds)),
            *("--output", str(output)),
        ],
        check=True,
        capture_output=True,
    )


def shares(stacks: Iterable[str]) -> dict[str, float]:
    """Part → its share of the samples."""
    counts: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        counts[part_of(stack.split(";"))] += int(count)
    return {part: counts[part] / counts.total() for part in PARTS}


def part_of(stack: Sequence[str]) -> str:
    """The part of the innermost frame that is ours."""
    for frame in reversed(stack):
        found = _FRAME.match(frame)
        if found is None or "symphony_server/" not in found["file"]:
            continue
        named = f"{found['function']} (symphony_server/{found['file'].split('symphony_server/')[1]}"
        return next(part for part, pattern in PARTS.items() if re.search(pattern, named))
    return [*PARTS][-1]


def show(call: str, parts: Mapping[str, float]) -> None:
    """Print the parts, the largest first."""
    table = Table(title=f"{CALLS[call].name}: where the server's time goes")
    table.add_column("part")
    table.add_column("share", justify="right")
    for part, share in sorted(parts.items(), key=lambda item: -item[1]):
        table.add_row(part, f"{share:.0%}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
