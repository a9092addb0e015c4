"""The model pool: allocates a model for a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, Self

from symphony.v1.workflow_pb2 import Workflow
from symphony_client.contracts import WorkflowDataAccess
from symphony_client.rules import parallel_stages


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a workflow needs of a model."""

    compute_units: int
    estimated_duration: timedelta
    concurrent_steps: int
    """How many steps may run at once at most."""

    @classmethod
    def from_workflow(cls, workflow: Workflow) -> Self:
        """What this workflow needs, by its estimate and its graph."""
        cost = workflow.estimated_cost
        return cls(
            compute_units=cost.compute_units,
            estimated_duration=cost.estimated_duration.ToTimedelta(),
            concurrent_steps=max((len(s) for s in parallel_stages(workflow.spec)), default=0),
        )


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """An allocated model."""

    model: str
    """Which one, as the pool names it."""
    spec: ModelSpec
    """What it was allocated for."""


class Models(Protocol):
    """What has models to give."""

    async def allocate(self, spec: ModelSpec) -> ModelHandle:
        """Return a model that meets the spec; it decides what it raises where there is none."""


class WorkflowNotFound(LookupError):
    """There is no such workflow, or the pool may not know of it."""


class PoolManager:
    """Allocates models for workflows."""

    def __init__(self, workflows: WorkflowDataAccess, models: Models) -> None:
        """Read workflows through `workflows`: cached or hybrid, it costs no call."""
        self._workflows = workflows
        self._models = models

    async def allocate_model_for_workflow(self, workflow_id: str) -> ModelHandle:
        """Return a model for a workflow.

        Raises:
            WorkflowNotFound: there is none to allocate for.
            DataError: it could not be read.
        """
        workflow = await self._workflows.find_by_id(workflow_id)
        if workflow is None:
            raise WorkflowNotFound(f"there is no workflow {workflow_id}")
        return await self._models.allocate(ModelSpec.from_workflow(workflow))
