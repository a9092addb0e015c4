"""Changing resources: one way for all kinds, and what each has of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symphony_client.mock_world.checks import email_taken, found, name_taken, stale
from symphony_client.mock_world.creating import completed
from symphony_client.mock_world.refusals import Wrong, refuse
from symphony_client.mock_world.structure import broken_rules
from symphony_client.mock_world.update_masks import changed, paths_to_change, touches
from symphony_client.mock_world.world import Write
from symphony_client.resources.kinds import WORKFLOW, Kind

Settle = Callable[[Write, Any, Any, Sequence[str]], Wrong | None]
"""Takes the resource as it is, as it is to be, and the paths; completes what is to be. Raises
Refused where that makes no sense, and returns what is wrong if only something else has its place.
"""


def update(kind: Kind, settle: Settle, write: Write, request: Any) -> Any:
    """The resource of a kind as an `Update<R>Request` changes it."""
    name = request.DESCRIPTOR.fields[0].name
    asked = getattr(request, name)
    paths = paths_to_change(request.update_mask, asked, name)
    current = found(write.world, kind, asked.id, field=f"{name}.id")
    updated = changed(current, asked, paths)
    taken = settle(write, current, updated, paths)
    refuse(stale(asked.etag, current.etag, field=f"{name}.etag"), taken)
    return write.update(kind, updated)


def settle_user(write: Write, _current: Any, updated: Any, _paths: Sequence[str]) -> Wrong | None:
    """Refuse a user an address that another has."""
    return email_taken(write.world, updated.email, field="user.email", besides=updated.id)


def settle_project(
    _write: Write, _current: Any, updated: Any, _paths: Sequence[str]
) -> Wrong | None:
    """Leave out constraints that constrain nothing."""
    if not updated.constraints.ByteSize():
        updated.ClearField("constraints")
    return None


def settle_workflow(
    write: Write, _current: Any, updated: Any, paths: Sequence[str]
) -> Wrong | None:
    """Refuse a spec that breaks the contract's rules or has a name that is taken; estimate anew
    where the steps change and no estimate is given with them.
    """
    if touches(paths, "spec"):
        refuse(*(_in_spec(broken) for broken in broken_rules(updated.spec)))
        if ("spec" in paths or "spec.steps" in paths) and not touches(paths, "estimated_cost"):
            updated.ClearField("estimated_cost")
    updated.estimated_cost.CopyFrom(completed(updated.estimated_cost, updated.spec))
    field = "workflow.spec.name"
    return name_taken(write.world, WORKFLOW, updated, field=field, besides=updated.id)


def _in_spec(broken: Any) -> Wrong:
    return Wrong(
        reason="FIELD_INVALID",
        description=broken.description,
        field=f"workflow.spec.{broken.field}",
        rule=broken.rule,
    )
