"""The figure of `make bench`, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.asked import CALLS
from tests.benchmarks.calls import SQLITE, TO_ECHO_GOALS, where
from tests.benchmarks.peers import ECHO, ETCD, FASTAPI
from tests.benchmarks.results import Figure, Figures, name_of

POSTGRESQL: Final = where("postgresql", 1)
COLOURS: Final = {
    ECHO: "#9e9e9e",
    SQLITE: "#3949ab",
    POSTGRESQL: "#26a69a",
    ETCD: "#8d6e63",
    FASTAPI: "#ef6c00",
}
RATIO_CALLS: Final = ("get", "check", "create")
"""An echo of a page's bytes is no measure of finding them."""
COST_CALLS: Final = ("get", "list", "create")
SIZE_INCHES: Final = (11, 4.6)
GOAL_COLOUR: Final = "#c62828"


def draw(figures: Figures, files: Sequence[Path]) -> None:
    """Draw the calls' costs, as multiples of an echo and beside the peers."""
    import matplotlib as mpl  # a second that nobody else waits for

    mpl.use("agg")
    from matplotlib import pyplot

    style: Any = {
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "bench",  # the same figures give the same file
    }
    with pyplot.rc_context(style):
        picture, (left, right) = pyplot.subplots(1, 2, figsize=SIZE_INCHES, layout="constrained")
        _ratios(left, figures)
        _costs(right, figures)
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else None
            picture.savefig(file, dpi=120, metadata=metadata)
        pyplot.close(picture)


def _ratios(axes: Any, figures: Figures) -> None:
    axes.set_title("Server CPU a call, times a bare gRPC echo")
    _bars(axes, figures, RATIO_CALLS, (SQLITE, POSTGRESQL), "cpu_to_echo", "{:.2f}")
    axes.axhline(1, color=COLOURS[ECHO], linewidth=1.5, linestyle=":")
    for number, call in enumerate(RATIO_CALLS):
        if goal := TO_ECHO_GOALS.get(call):
            label = "goal (SQLite)" if number == 0 else None
            axes.hlines(goal, number - 0.42, number, color=GOAL_COLOUR, linewidth=2.5, label=label)
    axes.legend(frameon=False, loc="upper left")


def _costs(axes: Any, figures: Figures) -> None:
    axes.set_title("CPU µs a call, beside others (log scale)")
    _bars(axes, figures, COST_CALLS, (ECHO, SQLITE, ETCD, FASTAPI), "cpu", "{:.0f}")
    axes.set_yscale("log")
    axes.set_ylim(bottom=50)
    axes.legend(frameon=False, loc="upper left", ncols=2)


def _bars(
    axes: Any,
    figures: Figures,
    calls: Sequence[str],
    wheres: Sequence[str],
    what: str,
    label: str,
) -> None:
    """Bars side by side for each call; none where nothing was measured."""
    highest = 0.0
    for number, call in enumerate(calls):
        there = [(w, f) for w in wheres if (f := _figure(figures, call, w, what))]
        width = 0.84 / max(len(there), 1)
        for place, (name, figure) in enumerate(there):
            x = number + (place - (len(there) - 1) / 2) * width
            least, most = min(figure.values), max(figure.values)
            axes.bar(x, figure.middle, width * 0.92, color=COLOURS[name])
            axes.vlines(x, least, most, color="black", linewidth=1)
            axes.annotate(
                label.format(figure.middle),
                (x, most),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=10,
            )
            highest = max(highest, most)
    for name in wheres:  # one entry each, whichever calls it was measured for
        axes.bar(0, 0, color=COLOURS[name], label=name)
    axes.set_xticks(range(len(calls)), [CALLS[call].name for call in calls])
    axes.set_ylim(top=highest * (1.35 if what == "cpu_to_echo" else 4))


def _figure(figures: Figures, call: str, name: str, what: str) -> Figure | None:
    return figures.get(name_of(CALLS[call].name, "" if name == SQLITE else name, what))
