"""Lists the members of a project."""

from __future__ import annotations

from symphony.v1.project_service_pb2 import (
    ListProjectMembersRequest,
    ListProjectMembersResponse,
)
from symphony_server.store.listings import MEMBERS
from symphony_server.store.projects import member_message
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, read_page
from symphony_server.use_cases.projects.get_project import permitted_project


def list_project_members(
    snapshot: Snapshot, call: Call, request: ListProjectMembersRequest
) -> ListProjectMembersResponse:
    """A page of the project's members."""
    permitted_project(snapshot, call, "projects.read", request.project_id, field="project_id")
    filters = given(project_id=request.project_id, role=request.role)
    members, next_token = read_page(
        snapshot, call, request, MEMBERS, member_message, filters, everything=True
    )
    return ListProjectMembersResponse(members=members, next_page_token=next_token)
