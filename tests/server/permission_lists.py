"""What each list of the permission table is to hold for a cell's caller."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tests.server.permission_matrix import READS_PROJECT, READS_WORKFLOW
from tests.server.permission_requests import Met
from tests.server.permission_world import BOTH


@dataclass(frozen=True)
class Listed:
    """What a list is to hold."""

    field: str
    ids: frozenset[str]
    everywhere: bool = False
    """Whether whoever reads everything is told of more than this one world."""


def _readable_workflows(met: Met) -> frozenset[str]:
    return frozenset(
        workflow_id
        for (mine, shared), workflow_id in (
            *met.holdings.workflows.items(),
            *met.holdings.run_workflows.items(),
        )
        if replace(met.cell, mine=mine, shared=shared).holds(READS_WORKFLOW)
    )


def _readable_executions(met: Met, *which: tuple[bool, bool]) -> frozenset[str]:
    return frozenset(
        met.holdings.executions[mine, shared, started]
        for (mine, shared), started in itertools.product(which, BOTH)
        if replace(met.cell, mine=mine, shared=shared, started=started).holds(READS_WORKFLOW)
    )


def _in_readable_project(met: Met, ids: Iterable[str]) -> frozenset[str]:
    return frozenset(ids) if met.cell.holds(READS_PROJECT) else frozenset()


LISTS: Final[Mapping[str, Callable[[Met], Listed]]] = {
    "ProjectService/ListProjects": lambda m: Listed(
        "projects",
        _in_readable_project(m, [m.project_id, m.holdings.empty_projects[m.cell.mine]]),
        everywhere=not m.cell.mine,
    ),
    "ProjectService/ListProjects: everywhere": lambda m: Listed(
        "projects",
        _in_readable_project(
            m, [*m.holdings.projects.values(), *m.holdings.empty_projects.values()]
        ),
        everywhere=True,
    ),
    "WorkflowService/ListWorkflows": lambda m: Listed("workflows", _readable_workflows(m)),
    "WorkflowService/ListWorkflows: everywhere": lambda m: Listed(
        "workflows", _readable_workflows(m), everywhere=True
    ),
    "ExecutionService/ListExecutions": lambda m: Listed(
        "executions", _readable_executions(m, (m.cell.mine, m.cell.shared))
    ),
    "ExecutionService/ListExecutions: everywhere": lambda m: Listed(
        "executions",
        _readable_executions(m, *itertools.product(BOTH, BOTH)),
        everywhere=True,
    ),
    "ExtensionService/ListExtensions": lambda m: Listed(
        "extensions", _in_readable_project(m, m.holdings.installed[False])
    ),
    "ExtensionService/ListExtensions: everywhere": lambda m: Listed(
        "extensions",
        _in_readable_project(m, [*m.holdings.installed[False], *m.holdings.installed[True]]),
        everywhere=True,
    ),
}
"""Row of a list → what its caller is to be told of."""
