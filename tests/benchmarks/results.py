"""What the measurements say: figures by name, each with its goal if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.measure import spread


@dataclass(frozen=True)
class Figure:
    """One figure: the median of the rounds, the smallest and the largest."""

    values: Sequence[float]
    unit: str
    better: str = "lower"
    goal: float | None = None
    what: str = ""
    """In words, for those with a goal."""

    @property
    def middle(self) -> float:
        return spread(self.values)[0]

    @property
    def is_met(self) -> bool:
        """True when the median is as good as the goal, or better."""
        if self.goal is None:
            return True
        return self.middle <= self.goal if self.better == "lower" else self.middle >= self.goal

    @property
    def goal_text(self) -> str:
        sign = "≤" if self.better == "lower" else "≥"
        return "" if self.goal is None else f"{sign} {self.goal:g}"

    def text(self) -> str:
        """The median, and in brackets from the smallest to the largest."""
        return " ".join((short(self.middle), f"({'-'.join(map(short, spread(self.values)[1:]))})"))

    def as_json(self) -> dict[str, Any]:
        """What `build/bench.json` says."""
        return figure(self.middle, self.unit, self.goal, self.better)


Figures = dict[str, Figure]


def figure(value: float, unit: str, goal: float | None, better: str) -> dict[str, Any]:
    """One figure, rounded to what the measurement can tell."""
    return {"value": round(value, 3), "unit": unit, "goal": goal, "better": better}


def short(value: float) -> str:
    """Three digits, more or less."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def name_of(*parts: str) -> str:
    """The name of a figure, of the words that say what it is of."""
    said = "_".join(parts).lower()
    return "_".join("".join(c if c.isalnum() else " " for c in said).split())
