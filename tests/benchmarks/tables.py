"""The tables of `make bench`: for a terminal, at most 100 columns wide, and for documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.table import Table

from tests.benchmarks.client_rules import Act
from tests.benchmarks.measure import Subject, ratios, spread
from tests.benchmarks.peers import ECHO
from tests.benchmarks.results import Figures, short
from tests.benchmarks.starting import Starts
from tests.benchmarks.watching import Fanout

NO = "**no**"
"""Bold, in Markdown."""


@dataclass
class Shown:
    """A table: its first columns say what, the others how much."""

    title: str
    left: Sequence[str]
    right: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def for_terminal(self) -> Table:
        """The table as rich prints it; a blank line where a new kind of row begins."""
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD)
        table.pad_edge, table.collapse_padding = False, True
        for name in self.left:
            table.add_column(name, no_wrap=True)
        for name in self.right:
            table.add_column(name, justify="right")
        for number, row in enumerate(self.rows):
            if number and row[0] and len(self.left) > 1:
                table.add_row()
            table.add_row(*("[bold red]no[/]" if said == NO else said for said in row))
        return table

    def for_document(self) -> str:
        """The table as Markdown."""
        marks = ["---"] * len(self.left) + ["---:"] * len(self.right)
        lines = [[*self.left, *self.right], marks, *self.rows]
        written = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"### {self.title}\n\n{written}\n"


def calls_table(subjects: Sequence[Subject]) -> Shown:
    """CPU a call and calls a second."""
    shown = Shown(
        "CPU a call: the median of the rounds (min-max)",
        ("call", "where"),
        ("server µs", "database µs", "x echo", "calls/s", "p99 ms"),
    )
    echoes = {subject.call: subject for subject in subjects if subject.where == ECHO}
    last = ""
    for subject in subjects:
        echoed = echoes.get(subject.call)
        times = ratios(subject.cpu_us, echoed.cpu_us) if echoed else []
        shown.rows.append(
            (
                subject.call if subject.call != last else "",
                subject.where,
                _said(subject.cpu_us),
                short(spread(subject.database_us)[0]) if subject.database_us else "",
                f"{spread(times)[0]:.2f}" if times else "",
                f"{spread(subject.rates)[0]:.0f}",
                short(spread(subject.p99_ms)[0]),
            )
        )
        last = subject.call
    return shown


def watch_table(fanouts: Sequence[Fanout]) -> Shown:
    """Watches."""
    shown = Shown(
        f"Watch: {fanouts[0].streams} streams of one process, a change every half second",
        ("where",),
        ("p50 ms", "p99 ms", "KiB a stream", "CPU µs a delivery"),
    )
    for fanout in fanouts:
        values = (fanout.p50_ms, fanout.p99_ms, fanout.kib, fanout.delivery_us)
        shown.rows.append((fanout.where, *map(_said, values)))
    return shown


def starts_table(starts: Sequence[Starts]) -> Shown:
    """Starts."""
    shown = Shown(
        "From start until health answers, on a database that is there",
        ("where",),
        ("seconds", "CPU seconds", "MiB then"),
    )
    for each in starts:
        shown.rows.append((each.where, *map(_said, (each.seconds, each.cpu_seconds, each.mib))))
    return shown


def acts_table(acts: Sequence[Act]) -> Shown:
    """What the client does by itself."""
    shown = Shown("CPU in the client, before a call", ("act",), ("CPU µs", "protovalidate alone"))
    for act in acts:
        shown.rows.append((act.name, _said(act.us), _said(act.peer_us) if act.peer_us else ""))
    return shown


def goals_table(figures: Figures) -> Shown:
    """What has a goal, and whether it is met."""
    shown = Shown("Goals", ("what",), ("measured (min-max)", "goal", "met"))
    for figure in figures.values():
        if figure.goal is not None:
            met = "yes" if figure.is_met else NO
            shown.rows.append((figure.what, figure.text(), figure.goal_text, met))
    return shown


def _said(values: Sequence[float]) -> str:
    middle, least, most = spread(values)
    return f"{short(middle)} ({short(least)}-{short(most)})"
