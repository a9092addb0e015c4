"""Placing resources in a world as a test wants them, what it leaves out filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.execution_pb2 import Execution, ExecutionState, ExecutionStep
from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony_client.mock_world.creating import completed, first_owner
from symphony_client.mock_world.structure import check_structure
from symphony_client.mock_world.world import World, Write
from symphony_client.resources.kinds import KINDS, PROJECT, PROJECT_MEMBER, USER, WORKFLOW, Kind


def place(world: World, resource: Message) -> Any:
    """The resource as it is kept, in the place of what has its id: what it does not say is filled
    in as if it had just been made by the caller. The first user becomes the caller.

    Raises:
        TypeError: it is no resource of the contract.
        PreValidationFailed: it breaks the contract's rules.
    """
    kind = next((kind for kind in KINDS if kind.message is type(resource)), None)
    if kind is None:
        raise TypeError(f"{resource.DESCRIPTOR.full_name} is not a kind of resource")
    caller_id = "" if kind is USER else caller_of(world)
    placed: Any = type(resource)()
    placed.CopyFrom(resource)
    with world.write(caller_id) as write:
        _fill(write, kind, placed)
        check_structure(placed)
        write.place(kind, placed)
        if kind is PROJECT and not world.where(PROJECT_MEMBER, project_id=placed.id):
            write.create(PROJECT_MEMBER, first_owner(placed))
    if kind is USER:
        world.caller_id = world.caller_id or placed.id
    return placed


def caller_of(world: World) -> str:
    """The id of the caller; where there is no user yet, one is made."""
    if not world.caller_id:
        place(
            world,
            User(
                email="mock@example.com",
                name="Mock user",
                tier=Tier.TIER_ENTERPRISE,
                roles=[Role.ROLE_ADMIN],
            ),
        )
    return world.caller_id


def _fill(write: Write, kind: Kind, resource: Any) -> None:
    if kind.message in _FILL:
        _FILL[kind.message](write, resource)
    fields = resource.DESCRIPTOR.fields_by_name
    if "id" in fields:
        resource.id = resource.id or write.new_id(kind)
    for time in ("create_time", "update_time"):
        if time in fields and not resource.HasField(time):
            getattr(resource, time).FromMicroseconds(write.time_us)
    if "etag" in fields:
        resource.etag = resource.etag or f"{write.time_us:x}"


def _user(write: Write, user: Any) -> None:
    user.email = user.email or f"user{write.world.feed.revision + 1}@example.com"
    user.name = user.name or "Mock user"
    user.tier = user.tier or Tier.TIER_FREE
    user.roles[:] = user.roles or [Role.ROLE_VIEWER]
    user.state = user.state or UserState.USER_STATE_ACTIVE


def _project(write: Write, project: Any) -> None:
    project.owner_id = project.owner_id or write.user_id
    project.name = project.name or "Mock project"


def _workflow(write: Write, workflow: Any) -> None:
    workflow.user_id = workflow.user_id or write.user_id
    workflow.status = workflow.status or WorkflowStatus.WORKFLOW_STATUS_CREATED
    workflow.estimated_cost.CopyFrom(completed(workflow.estimated_cost, workflow.spec))


def _execution(write: Write, execution: Any) -> None:
    pending = ExecutionState.EXECUTION_STATE_PENDING
    execution.user_id = execution.user_id or write.user_id
    execution.state = execution.state or pending
    workflow = write.world.table.get(WORKFLOW, execution.workflow_id)
    if not execution.steps and workflow is not None:
        steps = (ExecutionStep(name=step.name, state=pending) for step in workflow.spec.steps)
        execution.steps.extend(steps)


def _extension(write: Write, extension: Any) -> None:
    extension.installed_by = extension.installed_by or write.user_id
    extension.state = extension.state or ExtensionState.EXTENSION_STATE_ENABLED


_FILL: Final[Mapping[type[Message], Callable[[Write, Any], None]]] = {
    User: _user,
    Project: _project,
    Workflow: _workflow,
    Execution: _execution,
    Extension: _extension,
}
