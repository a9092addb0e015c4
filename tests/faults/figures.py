"""One table of figures, printed the same way by every program here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Figure = str | int | float


def table(rows: Sequence[Mapping[str, Figure]]) -> str:
    """The rows under their names, numbers to the right; all rows have the same names."""
    names = list(rows[0])
    shown = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    right = [not isinstance(rows[0][name], str) for name in names]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in shown
    )


def _shown(figure: Figure) -> str:
    return f"{figure:.2f}" if isinstance(figure, float) else str(figure)
