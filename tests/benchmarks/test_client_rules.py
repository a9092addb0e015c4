from __future__ import annotations

from tests.benchmarks.__main__ import bench_client


def test_every_act_of_the_client_is_measured() -> None:
    found = bench_client(rounds=1)

    assert {name for name, figure in found.items() if figure["goal"] is not None} == {
        *("prevalidate_10_steps_cpu", "prevalidate_1000_steps_cpu", "optimize_1000_steps_cpu"),
    }
    assert all(set(figure) == {"value", "unit", "goal", "better"} for figure in found.values())
    assert all(figure["value"] > 0 for figure in found.values())
