from __future__ import annotations

import base64
import random

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import ListProjectsRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import (
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    UpdateWorkflowRequest,
)
from tests import engines
from tests.server.world import Person, World, spec

ENGINES = engines.ALL


def page(person: Person, **query: object) -> ListWorkflowsResponse:
    request = ListWorkflowsRequest(**query)  # type: ignore[arg-type]
    answer: ListWorkflowsResponse = person.get(person.workflows.ListWorkflows, request)
    return answer


def all_pages(person: Person, **query: object) -> list[Workflow]:
    found: list[Workflow] = []
    token = ""
    while True:
        answer = page(person, **query, page_token=token)
        found += answer.workflows
        token = answer.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("order", ["", "create_time", "create_time desc", "name"])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_pages_hold_everything_once_and_in_order(world: World, order: str, size: int) -> None:
    owner = world.user()
    project = world.project(owner)
    names = [f"w{n:02}" for n in range(7)]
    random.Random(0).shuffle(names)  # noqa: S311 - an order that is the same every time
    made = [world.workflow(owner, project, spec=spec(name)) for name in names]
    expected = {
        "": made[::-1],
        "create_time desc": made[::-1],
        "create_time": made,
        "name": sorted(made, key=lambda w: w.spec.name),
    }[order]
    assert all_pages(owner, order_by=order, page_size=size) == expected


def test_a_full_last_page_has_no_next(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    for _ in range(4):
        world.workflow(owner, project)
    assert page(owner, page_size=4).next_page_token == ""
    assert page(owner, page_size=3).next_page_token != ""


def test_filters_hold_together(world: World) -> None:
    owner, other = world.user(), world.user()
    project, elsewhere = world.project(owner), world.project(owner)
    world.join(project, other, ProjectRole.PROJECT_ROLE_COLLABORATOR)
    alpha = world.workflow(owner, project, spec=spec("Alpha"))
    alps = world.workflow(other, project, spec=spec("alps"))
    beta = world.workflow(owner, project, spec=spec("Beta"))
    away = world.workflow(owner, elsewhere, spec=spec("Alpha"))
    owner.get(
        owner.workflows.UpdateWorkflow,
        UpdateWorkflowRequest(
            workflow=Workflow(id=beta.id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED)
        ),
    )

    def ids(**query: object) -> list[str]:
        return [w.id for w in page(owner, **query).workflows]

    assert ids(project_id=project.id, name_prefix="AL") == [alps.id, alpha.id]
    assert ids(name_prefix="alpha") == [away.id, alpha.id]
    assert ids(user_id=other.id) == [alps.id]
    assert ids(status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED) == [beta.id]
    assert ids(create_time_after=beta.create_time) == [away.id, beta.id]
    assert ids(create_time_before=alps.create_time) == [alpha.id]
    assert ids(create_time_after=Timestamp(seconds=253402300799)) == []


def test_a_list_leaves_out_what_the_caller_may_not_get(world: World) -> None:
    owner, member, stranger = world.user(), world.user(), world.user()
    auditor = world.user(Role.ROLE_AUDITOR)
    project = world.project(owner)
    world.join(project, member, ProjectRole.PROJECT_ROLE_COLLABORATOR)
    private = world.workflow(owner, project)
    shared = world.workflow(owner, project, shared=True)
    own = world.workflow(member, project)

    def ids(person: Person) -> set[str]:
        return {w.id for w in all_pages(person, page_size=1)}

    assert ids(owner) == {private.id, shared.id, own.id}
    assert ids(member) == {shared.id, own.id}
    assert ids(stranger) == set()
    assert ids(auditor) == ids(world.admin) == {private.id, shared.id, own.id}


def test_a_page_token_is_good_for_one_query_of_one_user(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    for _ in range(3):
        world.workflow(owner, project)
    token = page(owner, page_size=1).next_page_token

    def refused(person: Person, **query: object) -> str:
        request = ListWorkflowsRequest(**query)  # type: ignore[arg-type]
        return person.refused(person.workflows.ListWorkflows, request).reason

    assert page(owner, page_size=2, page_token=token).workflows  # the size may change
    assert refused(owner, page_token=token, project_id=project.id) == "PAGE_TOKEN_INVALID"
    assert refused(owner, page_token=token, order_by="name") == "PAGE_TOKEN_INVALID"
    assert refused(other, page_token=token) == "PAGE_TOKEN_INVALID"
    for n in range(0, len(token), 7):
        changed = token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :]
        assert refused(owner, page_token=changed) == "PAGE_TOKEN_INVALID"
    assert refused(owner, page_token="not base64 at all!") == "PAGE_TOKEN_INVALID"


def test_a_page_token_names_no_columns(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    for _ in range(2):
        world.workflow(owner, project)
    payload = base64.urlsafe_b64decode(page(owner, page_size=1).next_page_token)
    assert b"create_time" not in payload
    assert b"workflows" not in payload


def test_users_are_listed_by_prefix_and_order(world: World) -> None:
    for _ in range(3):
        world.user()
    admin = world.admin
    answer = admin.get(
        admin.users.ListUsers, ListUsersRequest(name_prefix="PERSON", order_by="name")
    )
    assert [u.name for u in answer.users] == ["Person 1", "Person 2", "Person 3"]


def test_a_page_size_and_order_outside_the_contract_are_refused(world: World) -> None:
    person = world.user()
    refusal = person.refused(
        person.workflows.ListWorkflows, ListWorkflowsRequest(page_size=1001, order_by="id")
    )
    assert set(refusal.fields) == {"page_size", "order_by"}
    assert "'create_time desc'" in refusal.message


def test_the_longest_name_is_paged_past(world: World) -> None:
    owner = world.user()
    # Each letter's key has 18, so that no name's is longer.
    names = ["\ufdfa" * 127 + digit for digit in "123"]
    for name in names:
        world.project(owner, name=name)
    found: list[str] = []
    request = ListProjectsRequest(order_by="name", page_size=1)
    while not found or request.page_token:
        page = owner.get(owner.projects.ListProjects, request)
        found += [project.name for project in page.projects]
        request.page_token = page.next_page_token
    assert found == names
