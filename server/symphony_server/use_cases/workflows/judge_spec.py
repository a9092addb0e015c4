"""The business rules of a workflow's spec, the same for a new one and a changed one."""

from __future__ import annotations

from collections.abc import Callable, Container

from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.workflow_pb2 import WorkflowCost, WorkflowSpec
from symphony_server.rules import project_constraints, tiers
from symphony_server.rules.cost import complete_cost
from symphony_server.rules.estimates import duration_us
from symphony_server.rules.workflow_graph import check_graph
from symphony_server.use_cases.call import Call


def judge_spec(
    call: Call,
    spec: WorkflowSpec,
    declared: WorkflowCost,
    constraints: ProjectConstraints,
    enabled_extensions: Callable[[frozenset[str]], Container[str]],
) -> tuple[WorkflowCost, frozenset[str]]:
    """The estimate completed from the steps and the extensions they use, once every rule was
    asked, but those about the project for who may not know them.

    `enabled_extensions` tells which of some extensions the project has enabled. What is
    wrong is left in the judgement, with fields named as in CreateWorkflowRequest.
    """
    judgement = call.judgement
    table, user = call.deployment.tiers, call.caller.user
    steps = len(spec.steps)

    graph = check_graph(spec.steps)
    judgement.ask_all("workflow.graph", graph.violations)
    cost, below = complete_cost(declared, spec.steps, graph.critical_path_us)
    judgement.ask("workflow.estimate", below)
    length_us = duration_us(cost.estimated_duration)

    judgement.ask("tier.step_limit", tiers.step_limit(table, user.tier, steps))
    judgement.ask("tier.duration_limit", tiers.duration_limit(table, user.tier, length_us))
    judgement.ask_if_permitted(
        "project.step_limit", project_constraints.step_limit(constraints, steps)
    )
    judgement.ask_if_permitted(
        "project.duration_limit", project_constraints.duration_limit(constraints, length_us)
    )
    used = project_constraints.used_extension_ids(spec)
    if used and judgement.permitted:
        judgement.ask_all(
            "project.extensions",
            project_constraints.extensions(constraints, spec, enabled_extensions(used)),
        )
    return cost, used
