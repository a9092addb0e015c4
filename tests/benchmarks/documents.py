"""`--write-docs`: puts what was measured into docs/performance.md, between its marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.plot import draw
from tests.benchmarks.processes import ROOT, machine
from tests.benchmarks.results import Figures
from tests.benchmarks.tables import Shown

DOCUMENT: Final = ROOT / "docs" / "performance.md"
PICTURES: Final = tuple(ROOT / "docs" / "assets" / f"bench.{kind}" for kind in ("png", "svg"))
BEGIN, END = "<!-- written by `make bench-docs`: begin -->", "<!-- end -->"


def write(
    figures: Figures,
    shown: Sequence[Shown],
    document: Path = DOCUMENT,
    pictures: Sequence[Path] = PICTURES,
) -> None:
    """Write the tables and draw the figure."""
    draw(figures, pictures)
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} has lost its marks, {BEGIN} and {END}")
    about = ", ".join(f"{name}: {value}" for name, value in machine().items())
    said = "\n".join([f"Measured on: {about}.\n", *(table.for_document() for table in shown)])
    document.write_text(f"{before}{BEGIN}\n{said}\n{END}{after}")
