"""Lists workflows."""

from __future__ import annotations

from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest, ListWorkflowsResponse
from symphony_server.store.listings import WORKFLOWS
from symphony_server.store.transaction import Snapshot
from symphony_server.store.workflows import workflow_message
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, name_filters, read_page, time_filters


def list_workflows(
    snapshot: Snapshot, call: Call, request: ListWorkflowsRequest
) -> ListWorkflowsResponse:
    """A page of the workflows that the caller may read."""
    filters = (
        given(project_id=request.project_id, user_id=request.user_id, status=request.status)
        | name_filters(request.name_prefix)
        | time_filters(request)
    )
    workflows, next_token = read_page(snapshot, call, request, WORKFLOWS, workflow_message, filters)
    return ListWorkflowsResponse(workflows=workflows, next_page_token=next_token)
