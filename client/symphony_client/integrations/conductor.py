"""The AI conductor: makes a workflow of what a person asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from symphony.v1.user_pb2 import CapabilityDenial, UserCapabilities
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.data_access import DataAccess
from symphony_client.use_cases import CreateWorkflowUseCase


class Planner(Protocol):
    """What thinks of workflows: a model, or a stand-in for one."""

    async def generate_workflow(self, prompt: str, capabilities: UserCapabilities) -> WorkflowSpec:
        """Return a workflow that does what the prompt says, within what the user can do."""


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What a person asks for."""

    user_id: str
    project_id: str
    prompt: str
    request_id: str = ""
    """Makes asking again safe: the same id gets the same workflow."""


class CannotCreateWorkflows(Exception):
    """The user can't make a workflow now, so that none was planned; `denials` says why not."""

    def __init__(self, denials: Sequence[CapabilityDenial]) -> None:
        super().__init__("; ".join(denial.description for denial in denials))
        self.denials = denials


class WorkflowConductor:
    """Plans and makes workflows for people, acting as each of them."""

    def __init__(self, data: DataAccess, planner: Planner) -> None:
        """Use the data access of a SERVICE (or ADMIN), which may act for others."""
        self._data = data
        self._planner = planner

    async def process_user_request(self, request: UserRequest) -> Workflow:
        """Return the workflow that was made, which is the user's own.

        Two calls: what the user can do is asked before the planner, who may be dear, is.

        Raises:
            CannotCreateWorkflows: a role lacks, or the tier's limit is reached.
            DataError: what the server says of the user or the workflow.
        """
        data = self._data.acting_as(request.user_id)
        capabilities = await data.users.get_user_capabilities(request.user_id)
        if not capabilities.can_create_workflows:
            raise CannotCreateWorkflows(
                [d for d in capabilities.denials if d.permission == "workflows.create"]
            )
        spec = await self._planner.generate_workflow(request.prompt, capabilities)
        return await CreateWorkflowUseCase(data.workflows).execute(
            CreateWorkflowRequest(
                project_id=request.project_id,
                user_id=request.user_id,
                spec=spec,
                request_id=request.request_id,
            )
        )
