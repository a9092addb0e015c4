"""Executions."""

from __future__ import annotations

from typing import Never

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony_client.accesses.resources import Resources, not_supported


class Executions(Resources[Execution]):
    """An `ExecutionDataAccess`."""

    _KIND = "execution"
    _PLURAL = "executions"
    _GET = GetExecutionRequest
    _UPDATE = UpdateExecutionRequest

    async def start(self, request: StartExecutionRequest) -> Execution:
        """See `ExecutionDataAccess.start`."""
        execution: Execution = await self._ask(request)
        return execution

    async def cancel(self, execution_id: str, *, etag: str = "", request_id: str = "") -> Execution:
        """See `ExecutionDataAccess.cancel`."""
        request = CancelExecutionRequest(id=execution_id, etag=etag, request_id=request_id)
        execution: Execution = await self._ask(request)
        return execution

    async def delete(
        self,
        resource_id: str,  # noqa: ARG002
        *,
        etag: str = "",  # noqa: ARG002
        request_id: str = "",  # noqa: ARG002
    ) -> Never:
        """Raise OperationNotSupported: an execution goes with its workflow."""
        raise not_supported(
            "delete() of an execution", "cancel() gives one up; it is kept with its workflow"
        )

    async def _create(self, entity: Execution, request_id: str) -> Never:  # noqa: ARG002
        raise not_supported(
            "save() of an execution without an id",
            "start() makes one of a workflow, save() reports on one that was read",
        )
