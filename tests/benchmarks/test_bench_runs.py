from __future__ import annotations

from pathlib import Path

from tests.benchmarks.__main__ import Size, bench


def test_a_tiny_bench_measures_every_call_and_its_echo(tmp_path: Path) -> None:
    found = bench(tmp_path, Size(rounds=1, gets=200, creates=100, callers=8))
    assert {name for name, figure in found.items() if figure["goal"] is not None} == {
        "getworkflow_cpu_to_echo",
        "createworkflow_cpu_to_echo",
    }
    assert all(set(figure) == {"value", "unit", "goal", "better"} for figure in found.values())
    assert all(figure["value"] > 0 for figure in found.values() if figure["unit"] == "calls/s")
