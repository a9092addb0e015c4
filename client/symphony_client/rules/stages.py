"""Which steps of a workflow can run together."""

from __future__ import annotations

from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_client.rules.step_graph import dependencies, in_order


def parallel_stages(spec: WorkflowSpec) -> list[list[str]]:
    """Returns the names of the steps, stage by stage, each step in the earliest that it can be in.

    What a step depends on is in the stages before its own, and one of them in the one just before;
    so there are as many stages as the longest chain has steps. Within a stage the steps stand as
    they are written. It never raises: `rules.step_graph` says what it makes of a graph that is
    not sound.
    """
    steps = spec.steps[:]
    stages = [0] * len(steps)
    for place, waited_for in in_order(dependencies(steps)):
        stages[place] = max([stages[needed] + 1 for needed in waited_for], default=0)
    together: list[list[str]] = [[] for _ in range(max(stages, default=-1) + 1)]
    for step, stage in zip(steps, stages, strict=True):
        together[stage].append(step.name)
    return together
