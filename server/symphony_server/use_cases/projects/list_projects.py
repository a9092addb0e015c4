"""Lists projects."""

from __future__ import annotations

from symphony.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse
from symphony_server.store.listings import PROJECTS
from symphony_server.store.projects import project_message
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, name_filters, read_page, time_filters


def list_projects(
    snapshot: Snapshot, call: Call, request: ListProjectsRequest
) -> ListProjectsResponse:
    """A page of the projects that the caller is a member of; of all for ADMIN and AUDITOR."""
    filters = (
        given(owner_id=request.owner_id) | name_filters(request.name_prefix) | time_filters(request)
    )
    projects, next_token = read_page(snapshot, call, request, PROJECTS, project_message, filters)
    return ListProjectsResponse(projects=projects, next_page_token=next_token)
