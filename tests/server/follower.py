"""Somebody who watches changes and keeps what they make of the world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from symphony.v1.change_pb2 import Change, ChangeOperation
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.extension_service_pb2 import ListExtensionsRequest
from symphony.v1.project_service_pb2 import ListProjectMembersRequest, ListProjectsRequest
from symphony.v1.user_service_pb2 import GetUserRequest, ListUsersRequest
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from tests.server.world import Person, Refusal, World, read_refusal

DELETED = ChangeOperation.CHANGE_OPERATION_DELETED
WATCH_SECONDS = 60

Told = tuple[str, str]
"""`CREATED`, `UPDATED` or `DELETED`, and the resource's id."""


@contextmanager
def watching(person: Person, start: int = 0, **fields: Any) -> Iterator[Any]:
    """An open watch."""
    call = person.changes.Watch(
        WatchRequest(start_revision=start, **fields),
        metadata=tuple(person.metadata()),
        timeout=WATCH_SECONDS,
    )
    try:
        yield call
    finally:
        call.cancel()


def until(call: Any, revision: int) -> list[Change]:
    """The changes that come until everything up to a revision has been sent."""
    changes = []
    for message in call:
        if message.WhichOneof("event") == "change":
            changes.append(message.change)
        elif message.checkpoint.revision >= revision:
            return changes
    raise AssertionError("the watch ended")


def begun(call: Any) -> int:
    """The revision that the first checkpoint tells."""
    message: WatchResponse = next(call)
    assert message.WhichOneof("event") == "checkpoint", message
    return message.checkpoint.revision


def last_revision(world: World) -> int:
    """The store's, now."""
    with watching(world.admin) as call:
        return begun(call)


def told(changes: list[Change]) -> list[Told]:
    return [
        (ChangeOperation.Name(c.operation).removeprefix("CHANGE_OPERATION_"), c.resource_id)
        for c in changes
    ]


def ended(call: Any) -> Refusal:
    """How a watch was refused, after whatever it sent."""
    try:
        for _ in call:
            pass
    except grpc.RpcError as error:
        return read_refusal(error)
    raise AssertionError("the watch ended without an error")


class Replica:
    """What somebody makes of the changes it is told: resource id → resource."""

    def __init__(self, start: int) -> None:
        self.revision = start
        self.resources: dict[str, Any] = {}

    def follow(self, person: Person, revision: int, *, leave_after: int | None = None) -> None:
        """Apply what comes, until everything up to a revision came or so many messages did."""
        with watching(person, self.revision) as call:
            for count, message in enumerate(call, start=1):
                if message.WhichOneof("event") == "checkpoint":
                    assert message.checkpoint.revision >= self.revision
                    self.revision = message.checkpoint.revision
                    if self.revision >= revision:
                        return
                else:
                    self.apply(message.change)
                if leave_after is not None and count >= leave_after:
                    return
        raise AssertionError("the watch ended")

    def apply(self, change: Change) -> None:
        assert change.revision >= self.revision, "a change came late or twice"
        self.revision = change.revision
        if change.operation == DELETED:
            assert change.WhichOneof("resource") is None
            self.resources.pop(change.resource_id, None)
        else:
            resource = getattr(change, change.WhichOneof("resource") or "")
            self.resources[change.resource_id] = resource


def readable(person: Person, *, lists_users: bool = False) -> dict[str, Any]:
    """Everything that somebody may read, by asking for it."""
    found: dict[str, Any] = {}
    projects = _every(person, person.projects.ListProjects, ListProjectsRequest(), "projects")
    for project in projects:
        found[project.id] = project
        members = ListProjectMembersRequest(project_id=project.id)
        for member in _every(person, person.projects.ListProjectMembers, members, "members"):
            found[f"{member.project_id}/{member.user_id}"] = member
    for method, request, name in (
        (person.workflows.ListWorkflows, ListWorkflowsRequest(), "workflows"),
        (person.executions.ListExecutions, ListExecutionsRequest(), "executions"),
        (person.extensions.ListExtensions, ListExtensionsRequest(), "extensions"),
    ):
        found |= {resource.id: resource for resource in _every(person, method, request, name)}
    if lists_users:
        users = _every(person, person.users.ListUsers, ListUsersRequest(), "users")
        found |= {user.id: user for user in users}
    else:
        found[person.id] = person.get(person.users.GetUser, GetUserRequest(id=person.id))
    return found


def _every(person: Person, method: Any, request: Any, name: str) -> list[Any]:
    found: list[Any] = []
    request.page_size = 1000
    while True:
        page = person.get(method, request)
        found += getattr(page, name)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
