"""Lists executions."""

from __future__ import annotations

from symphony.v1.execution_service_pb2 import ListExecutionsRequest, ListExecutionsResponse
from symphony_server.store.executions import execution_message
from symphony_server.store.listings import EXECUTIONS
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, read_page, time_filters


def list_executions(
    snapshot: Snapshot, call: Call, request: ListExecutionsRequest
) -> ListExecutionsResponse:
    """A page of the executions that the caller may read."""
    filters = given(
        workflow_id=request.workflow_id, user_id=request.user_id, state=request.state
    ) | time_filters(request)
    executions, next_token = read_page(
        snapshot, call, request, EXECUTIONS, execution_message, filters
    )
    return ListExecutionsResponse(executions=executions, next_page_token=next_token)
