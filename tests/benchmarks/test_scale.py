from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.generator import generator
from tests.benchmarks.scale import GOAL, scale
from tests.engines import ALL

ENGINES = ALL


@pytest.mark.timeout(240)  # many programs are started
def test_calls_are_measured_among_few_and_among_many(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LOAD", "python")
    generator.cache_clear()

    found = scale(tmp_path, engine, (600, 1200), rounds=1, seconds=0.05, only="List: all")

    generator.cache_clear()
    assert set(found) == {
        f"growth_{engine}_list_all_{page}"
        for page in ("first_page", "middle_page", "by_name_middle_page")
    }
    assert all(figure["goal"] == GOAL and figure["value"] > 0 for figure in found.values())
