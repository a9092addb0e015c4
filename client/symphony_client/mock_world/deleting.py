"""Removing resources: one way for all kinds, and what keeps each from going."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.empty_pb2 import Empty

from symphony_client.mock_world.checks import found, stale
from symphony_client.mock_world.executions import FINAL
from symphony_client.mock_world.refusals import Wrong, refuse
from symphony_client.mock_world.world import World, Write
from symphony_client.resources.kinds import (
    EXECUTION,
    EXTENSION,
    PROJECT,
    PROJECT_MEMBER,
    WORKFLOW,
    Kind,
)

Uses = Callable[[World, Any], dict[str, bool]]
"""What could still depend on a resource, by name, and whether it does."""


def delete(kind: Kind, uses: Uses, write: Write, request: Any) -> Empty:
    """Nothing; the resource is gone, and what is a part of it."""
    world, resource = write.world, found(write.world, kind, request.id)
    used_by = [name for name, used in uses(world, resource).items() if used]
    refuse(
        stale(request.etag, resource.etag, field="etag"),
        _in_use(kind, resource.id, used_by) if used_by else None,
    )
    for part_kind, parts in _parts(world, kind, resource):
        for part in parts:
            write.delete(part_kind, part)
    write.delete(kind, resource)
    return Empty()


def uses_of_user(world: World, user: Any) -> dict[str, bool]:
    """A user goes only when nothing is theirs."""
    return {
        "workflows": bool(world.where(WORKFLOW, user_id=user.id)),
        "project memberships": bool(world.where(PROJECT_MEMBER, user_id=user.id)),
        "projects": bool(world.where(PROJECT, owner_id=user.id)),
    }


def uses_of_project(world: World, project: Any) -> dict[str, bool]:
    """A project goes only when it is empty."""
    return {
        "workflows": bool(world.where(WORKFLOW, project_id=project.id)),
        "extensions": bool(world.where(EXTENSION, project_id=project.id)),
    }


def uses_of_workflow(world: World, workflow: Any) -> dict[str, bool]:
    """A workflow goes only when none of its executions is under way."""
    executions = world.where(EXECUTION, workflow_id=workflow.id)
    return {"executions": any(execution.state not in FINAL for execution in executions)}


def uses_of_extension(world: World, extension: Any) -> dict[str, bool]:
    """An extension goes only when no step names it."""
    workflows = world.where(WORKFLOW, project_id=extension.project_id)
    steps = (step for workflow in workflows for step in workflow.spec.steps)
    return {"workflows": any(step.extension_id == extension.id for step in steps)}


def _parts(world: World, kind: Kind, resource: Any) -> Iterable[tuple[Kind, list[Any]]]:
    if kind is PROJECT:
        yield PROJECT_MEMBER, world.where(PROJECT_MEMBER, project_id=resource.id)
    if kind is WORKFLOW:
        yield EXECUTION, world.where(EXECUTION, workflow_id=resource.id)


def _in_use(kind: Kind, resource_id: str, used_by: list[str]) -> Wrong:
    return Wrong(
        reason="RESOURCE_IN_USE",
        description=f"the {kind.field} still has {' and '.join(used_by)}; remove or end them first",
        field="id",
        subject=resource_id,
        metadata={"used_by": ",".join(used_by)},
    )
