"""Runs a workflow."""

from __future__ import annotations

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony_client.contracts import ExecutionDataAccess


class ExecuteWorkflowUseCase:
    """Makes one call; whoever runs the steps reports on the execution that comes of it."""

    def __init__(self, executions: ExecutionDataAccess) -> None:
        """Start executions through `executions`."""
        self._executions = executions

    async def execute(self, workflow_id: str, *, request_id: str = "") -> Execution:
        """Return the execution, PENDING, with every step of the workflow.

        Raises:
            NotFound: there is no such workflow, or the user may not know of it.
            AuthorizationFailed: the user may read it but not run it.
            DataError: what else the server says of it.
        """
        return await self._executions.start(
            StartExecutionRequest(workflow_id=workflow_id, request_id=request_id)
        )
