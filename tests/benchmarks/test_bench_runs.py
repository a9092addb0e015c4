from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks.__main__ import Output, bench
from tests.benchmarks.calls import Size
from tests.benchmarks.documents import BEGIN, END, write
from tests.benchmarks.generator import generator
from tests.benchmarks.results import Figures
from tests.benchmarks.tables import goals_table

SIZE = Size(rounds=1, seconds=0.2, engines=("sqlite",), workers=(1,), streams=5, changes=2)
PARTS = ("get", "list", "create", "transaction", "check", "watch", "start")


@pytest.fixture(scope="module", autouse=True)
def made_by_python() -> Iterator[None]:
    """The calls are made by Python: building the Go program takes longer than this may."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LOAD", "python")
        generator.cache_clear()
        yield
    generator.cache_clear()


@pytest.mark.timeout(240)  # many programs are started
def test_a_tiny_bench_measures_every_call_and_writes_the_documents(tmp_path: Path) -> None:
    shown = Output(Console(quiet=True))

    found = bench(tmp_path, PARTS, SIZE, shown)

    assert {
        *("getworkflow_cpu_to_echo", "createworkflow_cpu_to_echo", "watch_p99", "watch_memory"),
        *("start_time", "idle_memory"),
    } <= {name for name, figure in found.items() if figure.goal is not None}
    assert all(figure.middle > 0 for figure in found.values() if figure.unit == "calls/s")
    assert all(
        set(figure.as_json()) == {"value", "unit", "goal", "better"} for figure in found.values()
    )
    goals = goals_table(found)
    assert len(goals.rows) >= 6
    _write(tmp_path, found, shown)


def _write(directory: Path, found: Figures, shown: Output) -> None:
    document = directory / "performance.md"
    document.write_text(f"before\n{BEGIN}\nof old\n{END}\nafter\n")
    pictures = [directory / "bench.png", directory / "bench.svg"]

    write(found, shown.tables, document, pictures)

    written = document.read_text()
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "of old" not in written
    assert "| GetWorkflow |" in written
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
