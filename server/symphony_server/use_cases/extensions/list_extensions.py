"""Lists extensions."""

from __future__ import annotations

from symphony.v1.extension_service_pb2 import ListExtensionsRequest, ListExtensionsResponse
from symphony_server.store.extensions import extension_message
from symphony_server.store.listings import EXTENSIONS
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.pages import given, name_filters, read_page, time_filters


def list_extensions(
    snapshot: Snapshot, call: Call, request: ListExtensionsRequest
) -> ListExtensionsResponse:
    """A page of the extensions that the caller may read."""
    filters = (
        given(project_id=request.project_id, type=request.type, state=request.state)
        | name_filters(request.name_prefix)
        | time_filters(request)
    )
    extensions, next_token = read_page(
        snapshot, call, request, EXTENSIONS, extension_message, filters
    )
    return ListExtensionsResponse(extensions=extensions, next_page_token=next_token)
