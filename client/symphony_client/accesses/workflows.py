"""Workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Never

from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.accesses.resources import Resources, not_supported


class Workflows(Resources[Workflow]):
    """A `WorkflowDataAccess`."""

    _KIND = "workflow"
    _PLURAL = "workflows"
    _GET = GetWorkflowRequest
    _UPDATE = UpdateWorkflowRequest

    async def create_workflow(self, request: CreateWorkflowRequest) -> Workflow:
        """See `WorkflowDataAccess.create_workflow`."""
        workflow: Workflow = await self._ask(request)
        return workflow

    async def delete(self, resource_id: str, *, etag: str = "", request_id: str = "") -> None:
        """See `DataStore.delete`."""
        await self._ask(DeleteWorkflowRequest(id=resource_id, etag=etag, request_id=request_id))

    def find_by_user(self, user_id: str) -> AsyncIterator[Workflow]:
        """See `WorkflowDataAccess.find_by_user`."""
        return self.find_by_criteria(ListWorkflowsRequest(user_id=user_id))

    async def _create(self, entity: Workflow, request_id: str) -> Never:  # noqa: ARG002
        raise not_supported(
            "save() of a workflow without an id",
            "create_workflow() makes one, save() changes one that was read",
        )
