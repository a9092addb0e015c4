"""Every adapter finds, pages, orders and watches alike."""

from __future__ import annotations

from typing import Any

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.user_pb2 import Tier
from symphony.v1.user_service_pb2 import ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.data_access import DataAccess
from symphony_client.errors import NotFound
from symphony_server.ids import new_id
from tests.contract.adapters.adapters import caller, made_workflow, new_project
from tests.contract.adapters.conformance import PERSON, every, refused


async def test_criteria_page_by_themselves_in_every_order(data: DataAccess) -> None:
    project = await new_project(data)
    names = ["delta", "Alpha", "echo", "Bravo", "charlie"]
    made = [await made_workflow(data, project, name) for name in names]
    other = await made_workflow(data, await new_project(data, "Other"), "Alpha")

    async def listed(order_by: str) -> list[str]:
        criteria = ListWorkflowsRequest(project_id=project.id, order_by=order_by, page_size=2)
        return [w.spec.name for w in await every(data.workflows.find_by_criteria(criteria))]

    assert await listed("create_time") == names
    assert await listed("") == await listed("create_time desc") == names[::-1]
    assert await listed("name") == ["Alpha", "Bravo", "charlie", "delta", "echo"]
    assert other.id not in {w.id for w in made}


async def test_criteria_hold_together(data: DataAccess) -> None:
    project = await new_project(data)
    made = [await made_workflow(data, project, name) for name in ("Étude", "ETUDE 2", "étude 3")]
    await data.workflows.save(
        Workflow(id=made[2].id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED), paths=["status"]
    )

    async def found(**criteria: Any) -> list[str]:
        listing = ListWorkflowsRequest(project_id=project.id, order_by="create_time", **criteria)
        return [w.spec.name for w in await every(data.workflows.find_by_criteria(listing))]

    assert await found(name_prefix="étu") == ["Étude", "étude 3"]
    assert await found(name_prefix="ÉTU", status=WorkflowStatus.WORKFLOW_STATUS_CREATED) == [
        "Étude"
    ]
    assert await found(create_time_after=made[1].create_time) == ["ETUDE 2", "étude 3"]
    assert await found(create_time_before=made[1].create_time) == ["Étude"]
    assert await found(user_id=new_id("user")) == []


async def test_users_and_projects_are_found_by_what_the_contracts_name(data: DataAccess) -> None:
    me = await caller(data)
    ada = await data.users.save(PERSON)
    project = await new_project(data)
    workflow = await made_workflow(data, project)

    assert await data.users.find_by_email("ADA@example.com") == ada
    assert [p.id for p in await every(data.projects.find_by_owner(me.id))] == [project.id]
    assert await every(data.projects.find_by_owner(ada.id)) == []
    assert [w.id for w in await every(data.workflows.find_by_user(me.id))] == [workflow.id]
    assert await every(data.workflows.find_by_user(ada.id)) == []
    pro = await every(data.users.find_by_criteria(ListUsersRequest(tier=Tier.TIER_PRO)))
    assert pro == [ada]


async def test_capabilities_are_told_of_those_who_exist(data: DataAccess) -> None:
    ada = await data.users.save(PERSON)
    found = await data.users.get_user_capabilities(ada.id)
    assert (found.user_id, found.can_create_workflows) == (ada.id, True)
    error = await refused(data.users.get_user_capabilities(new_id("user")))
    assert (type(error), error.reason) == (NotFound, "RESOURCE_NOT_FOUND")


async def test_what_changes_can_be_watched(data: DataAccess) -> None:
    watch = data.source.watch(WatchRequest())
    first = await anext(watch)
    assert first.WhichOneof("event") == "checkpoint"
    project = await new_project(data)
    async for response in watch:
        change = response.change
        if change.resource_id == project.id:
            assert change.operation == ChangeOperation.CHANGE_OPERATION_CREATED
            assert change.project == project
            break
    await watch.aclose()  # type: ignore[attr-defined]
