from __future__ import annotations

from rich.console import Console

from tests.benchmarks.__main__ import Output, bench_client


def test_every_act_of_the_client_is_measured() -> None:
    found = bench_client(1, Output(Console(quiet=True)))

    assert found.keys() == {
        *(f"prevalidate_{number}_cpu" for number in ("1_step", "10_steps", "100_steps")),
        *("prevalidate_1000_steps_cpu", "prevalidate_1000_long_steps_cpu"),
        *("optimize_1000_steps_cpu", "optimize_1000_layered_steps_cpu"),
        "optimize_1000_steps_in_a_row_cpu",
    }
    assert all(figure.goal is not None for figure in found.values())
    assert all(figure.middle > 0 for figure in found.values())
