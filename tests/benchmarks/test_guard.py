from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks import instructions
from tests.benchmarks.guard import BASELINE, Ratios, guard

BEFORE: Ratios = {"GetWorkflow": 1.25, "CreateWorkflow": 1.75}


def times(*factors: float) -> Callable[[], Ratios]:
    """A server that costs so many times as much as before, measurement by measurement."""
    left: Iterator[float] = iter(factors)

    def measured() -> Ratios:
        factor = next(left)
        return {
            call: ratio * (factor if call == "CreateWorkflow" else 1)
            for call, ratio in BEFORE.items()
        }

    return measured


def test_a_quarter_more_work_a_call_is_found() -> None:
    said: list[str] = []

    assert guard(times(1.25, 1.25), BEFORE, said.append) == 1
    assert [line for line in said if "TOO MUCH" in line] == [
        "CreateWorkflow: 2.19 x an echo, before 1.75  TOO MUCH"
    ]


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.1])
def test_noise_is_not(factor: float) -> None:
    assert guard(times(factor), BEFORE, lambda _: None) == 0


def test_what_was_dearer_once_is_measured_again() -> None:
    assert guard(times(1.4, 1.05), BEFORE, lambda _: None) == 0


def test_a_call_without_a_baseline_is_too_dear() -> None:
    assert guard(times(1, 1), {"GetWorkflow": 1.25}, lambda _: None) == 1


def test_there_is_a_baseline_for_every_guarded_call() -> None:
    assert '"GetWorkflow"' in BASELINE.read_text()


def test_instructions_are_counted_where_perf_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make_perf(tmp_path, "1234567;;instructions:u;100;100.00;;")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with instructions.counting(os.getpid()) as found:
        assert found == []

    assert found == [1234567]
    assert instructions.counted()


def test_where_perf_does_not_count_them_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make_perf(tmp_path, "<not supported>;;instructions:u;0;100.00;;")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert not instructions.counted()


def _make_perf(directory: Path, said: str) -> None:
    """A `perf` that says so when it is interrupted."""
    program = directory / "perf"
    program.write_text(
        f"""#!{sys.executable}
import os, re, signal, sys
def end(*_):
    print({said!r}, file=sys.stderr)
    sys.exit(0)
signal.signal(signal.SIGINT, end)
orders, done = map(int, re.findall("=fd:([0-9]+),([0-9]+)", " ".join(sys.argv))[0])
assert os.read(orders, 100) == b"enable\\n"
os.write(done, b"ack\\n")
while True:
    signal.pause()
"""
    )
    program.chmod(0o755)
