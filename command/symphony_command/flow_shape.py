"""What a workflow looks like: its stages, how long each takes, and what it is estimated to cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony_client.rules import (
    calculate_workflow_cost,
    optimize_workflow_steps,
    parallel_stages,
)
from symphony_command.flow_drawing import remarks, takes
from symphony_command.output import Column, plain, table_of
from symphony_command.words import span

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class _Row:
    stage: str
    """The stage's number; empty but for its first step."""
    step: WorkflowStep


def shape(spec: WorkflowSpec) -> RenderableType:
    """The stages in which the steps can run, those of one stage side by side, and the estimate.

    It is drawn of any spec; what cannot be drawn is said beneath.
    """
    from rich.console import Group
    from rich.text import Text

    stages = parallel_stages(spec)
    steps: dict[str, WorkflowStep] = {}
    for step in spec.steps:
        steps.setdefault(step.name, step)
    rows = [
        _Row(str(number) if first else "", steps[name])
        for number, stage in enumerate(stages, start=1)
        for first, name in ((place == 0, name) for place, name in enumerate(stage))
    ]
    cost = calculate_workflow_cost(spec)
    lines = [
        f"{len(spec.steps)} steps in {len(stages)} stages; estimated {cost.compute_units} units, "
        f"{span(cost.estimated_duration)} from start to end"
    ]
    implied = sum(len(step.depends_on) for step in spec.steps) - sum(
        len(step.depends_on) for step in optimize_workflow_steps(spec).steps
    )
    if implied:
        which = "1 dependency follows" if implied == 1 else f"{implied} dependencies follow"
        lines.append(f"{which} from others and could be left out")
    return Group(
        table_of(rows, _columns()),
        Text(""),
        *(Text(line) for line in lines),
        *(Text(f"Not drawn: {plain(remark)}", style="yellow") for remark in remarks(spec)),
    )


def _columns() -> list[Column[_Row]]:
    return [
        Column("STAGE", lambda row: row.stage, fold=False, justify="right"),
        Column("STEP", lambda row: row.step.name),
        Column("AFTER", lambda row: ", ".join(row.step.depends_on)),
        Column("TAKES", lambda row: takes(row.step), fold=False, justify="right"),
    ]
