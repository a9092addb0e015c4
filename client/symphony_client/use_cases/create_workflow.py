"""Makes a workflow of a spec that somebody, or some model, wrote."""

from __future__ import annotations

from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.contracts import WorkflowDataAccess
from symphony_client.prevalidation import PreValidator, WorkflowPreValidator, unless_switched_off
from symphony_client.rules import calculate_workflow_cost, optimize_workflow_steps


class CreateWorkflowUseCase:
    """Pre-validates, optimises, estimates, then makes one call."""

    def __init__(
        self,
        workflows: WorkflowDataAccess,
        pre_validator: PreValidator[CreateWorkflowRequest] | None = None,
    ) -> None:
        """Make workflows through `workflows`."""
        self._workflows = workflows
        self._pre_validator = pre_validator or unless_switched_off(WorkflowPreValidator)

    async def execute(self, request: CreateWorkflowRequest) -> Workflow:
        """Return the workflow as it was made; the request itself is not changed.

        Steps are sent in an order in which they can run, without dependencies that follow from
        others. The estimate is that of the steps, unless the request brings its own.

        Raises:
            PreValidationFailed: the request is wrong as it stands; nothing was called.
            DataError: what the server says of it.
        """
        self._pre_validator.should_attempt_request(request)
        enhanced = CreateWorkflowRequest()
        enhanced.CopyFrom(request)
        enhanced.spec.CopyFrom(optimize_workflow_steps(request.spec))
        if not request.HasField("estimated_cost"):
            enhanced.estimated_cost.CopyFrom(calculate_workflow_cost(enhanced.spec))
        return await self._workflows.create_workflow(enhanced)
