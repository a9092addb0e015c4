"""`make bench-guard`: fails when a call has come to cost the server a quarter more.

What a call costs is told as a multiple of a bare grpcio echo of the same bytes, measured in turn
with it, and held against `baseline.json`: a ratio says nearly the same on every machine. It is one
of instructions where the processor counts them (`perf stat`), of CPU time elsewhere. The calls are
made by Python, which is there everywhere, for the ratio depends on how they come.

`make bench-baseline` takes today's figures as the baseline.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.benchmarks import instructions
from tests.benchmarks.asked import CALLS, prepare
from tests.benchmarks.measure import Subject, measure, ratios, spread
from tests.benchmarks.peers import echo
from tests.benchmarks.processes import serving

BASELINE: Final = Path(__file__).with_name("baseline.json")
GUARDED: Final = ("get", "create")
ROUNDS: Final = 5
SECONDS: Final = 0.5
"""Of each call in a round: all of it is over in less than a minute."""
BOUND: Final = 1.18
"""Above what is noise, and below a quarter more."""

Ratios = Mapping[str, float]
"""Call → its cost as a multiple of an echo's."""


def main() -> int:
    """Returns the exit code: 1 when a call has become dearer."""
    parser = argparse.ArgumentParser(prog="guard", description=__doc__)
    parser.add_argument("--write-baseline", action="store_true", help="take what is measured now")
    given = parser.parse_args()
    os.environ["BENCH_LOAD"] = "python"
    counts = instructions.counted()
    kind = "instructions" if counts else "cpu"
    baselines: dict[str, dict[str, float]] = (
        json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    )
    if given.write_baseline:
        baselines[kind] = {call: round(ratio, 3) for call, ratio in costs(kind).items()}
        BASELINE.write_text(json.dumps(baselines, indent=2) + "\n")
        print(f"{BASELINE.name}: {baselines[kind]}")
        return 0
    if kind not in baselines:
        kind = "cpu"
    return guard(lambda: costs(kind), baselines.get(kind, {}), print)


def guard(measured: Callable[[], Ratios], baseline: Ratios, say: Callable[[str], object]) -> int:
    """0 when no call is dearer than the baseline allows, in one measurement of two."""
    found = dict(measured())
    if dearer(found, baseline):
        say("dearer than before; once more, to be sure")
        again = measured()
        found = {call: min(ratio, again[call]) for call, ratio in found.items()}
    bad = dearer(found, baseline)
    for call, ratio in found.items():
        before = baseline.get(call)
        said = f"{ratio:.2f} x an echo, before {'?' if before is None else f'{before:.2f}'}"
        say(f"{call}: {said}{'  TOO MUCH' if call in bad else ''}")
    return 1 if bad else 0


def dearer(found: Ratios, baseline: Ratios) -> Sequence[str]:
    """The calls that cost more than they may; one without a baseline may cost nothing."""
    return [call for call, ratio in found.items() if ratio > baseline.get(call, 0.0) * BOUND]


def costs(kind: str) -> Ratios:
    """What each guarded call costs now: the median of the rounds."""
    a_round: dict[str, Any] = {"seconds": SECONDS}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{directory / 'guard.db'}"
        process_id, target = stack.enter_context(
            serving(directory / "server", url, token_file="token")
        )
        asked = prepare(target, directory / "server" / "token")
        echoes = stack.enter_context(echo(directory, asked, GUARDED, **a_round))
        calls = [
            Subject(CALLS[name].name, "SQLite", process_id, asked.plan(name, target, **a_round))
            for name in GUARDED
        ]
        pairs = list(zip(calls, echoes, strict=True))
        for subject in (*calls, *echoes):
            subject.instructions = kind == "instructions"
        measure([subject for pair in pairs for subject in pair], ROUNDS)
        return {call.call: spread(ratios(call.cpu_us, echo_.cpu_us))[0] for call, echo_ in pairs}


if __name__ == "__main__":
    sys.exit(main())
