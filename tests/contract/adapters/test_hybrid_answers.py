"""The replica answers what the server would: the same, in the same order, refused alike."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.execution_service_pb2 import (
    GetExecutionRequest,
    ListExecutionsRequest,
)
from symphony.v1.extension_pb2 import ExtensionState, ExtensionType
from symphony.v1.extension_service_pb2 import GetExtensionRequest, ListExtensionsRequest
from symphony.v1.project_pb2 import Project, ProjectRole
from symphony.v1.project_service_pb2 import (
    GetProjectConstraintsRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
)
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import (
    GetUserRequest,
    ListUsersRequest,
)
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import (
    GetWorkflowRequest,
    ListWorkflowsRequest,
)
from symphony_client.data_source import DataSource
from symphony_client.errors import (
    DataError,
)
from symphony_client.replica.answers import is_answerable
from symphony_server.ids import new_id
from tests.contract.adapters.replica_world import (
    Line,
    answered,
    every,
    everything,
    hybrid,
    line_to,
    ready,
)
from tests.server.follower import last_revision
from tests.server.rights import set_roles
from tests.server.test_replicas import Chaos
from tests.server.world import Person, World, spec

NAMES = ("Äpfel", "äPFEL 2", "ß", "SSD", "ﬁre", "Fire 2", "Ⅷ", "viii b", "zebra", "한국", "a b")
ORDERS = ("", "create_time", "create_time desc", "name")
SERVERS = (
    ListWorkflowsRequest(page_token="none of yours"),
    ListWorkflowsRequest(create_time_after=Timestamp(nanos=2_000_000_000)),
)
"""What a replica leaves for the server to refuse."""


async def outcome(source: DataSource, request: Message) -> Any:
    """The answer, all pages of it, or everything that an error says but for whose call it was."""
    try:
        if hasattr(request, "page_token"):
            return await every(source, request)
        return await answered(source, request)
    except DataError as error:
        status = error.status
        told = {key: error.metadata[key] for key in error.metadata if not key.endswith("_id")}
        return (
            *(type(error), error.message, error.reason, told, error.violations),
            *(status.status_code, status.resource_type, status.resource_name),
        )


def generated(world: World, seed: int) -> tuple[Chaos, list[Person]]:
    """A world in which something of every kind was made by several people, and changed."""
    people = [world.user() for _ in range(3)]
    chaos = Chaos(world, people, random.Random(seed))  # noqa: S311 - the same for the same seed
    for _ in range(120):
        chaos.act()
    owner = people[0]
    projects = [world.project(owner, name=name) for name in NAMES]
    for project in projects:
        world.workflow(owner, project, spec=spec(project.name), shared=True)
    # Made in one transaction, they are of the same time.
    request = ExecuteTransactionRequest(
        operations=[
            TransactionOperation(
                create_workflow=world.new_workflow(projects[-1].id, spec=spec(name))
            )
            for name in NAMES[:-1]
        ]
    )
    owner.get(owner.transactions.ExecuteTransaction, request)
    set_roles(world, people[1], Role.ROLE_DEVELOPER, Role.ROLE_AUDITOR)
    return chaos, people


def questions(chance: random.Random, truth: dict[type, list[Any]]) -> Iterator[Message]:
    """Requests for what there is, for what there is not, and for what makes no sense."""

    def some(kind: type, field: str = "id") -> str:
        return getattr(chance.choice(truth[kind]), field) if truth[kind] else ""

    def times() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for side in ("after", "before"):
            if chance.random() < 0.3:
                time = chance.choice(truth[Workflow]).create_time
                found[f"create_time_{side}"] = Timestamp(
                    seconds=time.seconds, nanos=time.nanos + chance.choice((0, 0, 500, 1000))
                )
        return found

    def maybe(**fields: Any) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if chance.random() < 0.3}

    def prefix() -> str:
        return chance.choice(("P", "p0.", "workflow 1", "s", "FIRE", "ÄPF", "tool-", "\0", "한"))

    yield GetProjectRequest(id=new_id("project"))
    yield GetWorkflowRequest(id=new_id("workflow"))
    yield GetExecutionRequest(id=new_id("execution"))
    yield GetExtensionRequest(id=new_id("extension"))
    yield GetUserRequest(id=new_id("user"))
    for get in (GetProjectRequest, GetWorkflowRequest, GetExecutionRequest, GetExtensionRequest):
        yield get(id="wrong")
    yield GetUserRequest(id="wrong")
    yield GetProjectConstraintsRequest(project_id=new_id("project"))
    yield GetProjectConstraintsRequest(project_id="project_wrong")
    yield ListProjectMembersRequest(project_id=new_id("project"))
    yield ListWorkflowsRequest(page_size=1001, order_by="colour", project_id="x")
    yield from SERVERS
    while True:
        size, order = chance.choice((0, 1, 3, 7, 1000)), chance.choice(ORDERS)
        by_time = "" if order == "name" else order
        yield ListProjectsRequest(
            **maybe(owner_id=some(Project, "owner_id"), name_prefix=prefix()),
            **times(),
            order_by=order,
            page_size=size,
        )
        yield ListWorkflowsRequest(
            **maybe(
                project_id=some(Project),
                user_id=some(Workflow, "user_id"),
                status=chance.choice(WorkflowStatus.values()),
                name_prefix=prefix(),
            ),
            **times(),
            order_by=order,
            page_size=size,
        )
        yield ListExecutionsRequest(
            **maybe(
                workflow_id=some(Workflow),
                user_id=some(Workflow, "user_id"),
                state=chance.choice(ExecutionState.values()),
            ),
            **times(),
            order_by=by_time,
            page_size=size,
        )
        yield ListExtensionsRequest(
            **maybe(
                project_id=some(Project),
                type=chance.choice(ExtensionType.values()),
                state=chance.choice(ExtensionState.values()),
                name_prefix=prefix(),
            ),
            **times(),
            order_by=order,
            page_size=size,
        )
        yield ListProjectMembersRequest(
            project_id=some(Project),
            **maybe(role=chance.choice(ProjectRole.values())),
            order_by=by_time,
            page_size=size,
        )
        yield GetProjectRequest(id=some(Project))
        yield GetProjectConstraintsRequest(project_id=some(Project))
        yield GetWorkflowRequest(id=some(Workflow))
        yield GetUserRequest(id=some(Workflow, "user_id"))
        yield ListUsersRequest(page_size=size, order_by=order)


@pytest.mark.parametrize("seed", range(2))
async def test_every_answer_is_the_servers_before_and_after_changes(
    world: World, line: Line, seed: int
) -> None:
    chaos, people = generated(world, seed)
    chance = random.Random(seed)  # noqa: S311
    lines = [line, *(line_to(world, person) for person in people)]
    sources = [hybrid(line) for line in lines]
    for later in (False, True):
        if later:
            for _ in range(60):
                chaos.act()
        last = last_revision(world)
        truth = await everything(line.inner)
        for line, source in zip(lines, sources, strict=True):
            await ready(source, ListProjectsRequest(), revision=last)
            before = len(line.calls)
            for request in itertools.islice(questions(chance, truth), 120):
                assert await outcome(source, request) == await outcome(line.inner, request), request
            handed_on = [one for one in line.calls[before:] if is_answerable(one)]
            assert all(one in SERVERS or isinstance(one, GetUserRequest) for one in handed_on)
    for source in sources:
        await source.close()
