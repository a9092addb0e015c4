"""A fresh start: everything that the user may read, listed into an empty replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import ListExecutionsRequest
from symphony.v1.extension_service_pb2 import ListExtensionsRequest
from symphony.v1.project_service_pb2 import ListProjectMembersRequest, ListProjectsRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import GetUserRequest, ListUsersRequest
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_client.data_source import DataSource
from symphony_client.errors import LimitExceeded, NotFound
from symphony_client.replica.replica import Replica
from symphony_client.resources.kinds import PROJECT, USER, kinds_by_request

PAGE_SIZE: Final = 500
"""As many resources are written in one transaction, which holds up the event loop for 10 ms."""
PAUSE_SECONDS: Final = 1.0
"""Before a call is made again that a rate limit refused without saying how long it takes."""

_SEES_EVERYTHING: Final = frozenset({Role.ROLE_ADMIN, Role.ROLE_AUDITOR})


async def fill(replica: Replica, source: DataSource, user_id: str) -> None:
    """Put all that the user may read into the replica.

    What changes meanwhile is in it or not; the change feed from before this on makes it whole.

    Raises:
        DataError: the source did not answer. What was filled so far is of no use.
    """
    me = await _ask(source, GetUserRequest(id=user_id))
    replica.fill(USER, [me])
    if not _SEES_EVERYTHING.isdisjoint(me.roles):
        await _list(replica, source, ListUsersRequest())
    project_ids = []
    async for projects in _pages(source, ListProjectsRequest()):
        replica.fill(PROJECT, projects)
        project_ids += [project.id for project in projects]
    for project_id in project_ids:
        try:
            await _list(replica, source, ListProjectMembersRequest(project_id=project_id))
        except NotFound:
            # Gone since it was listed, or out of sight: the feed tells.
            continue
    for request in (ListExtensionsRequest(), ListWorkflowsRequest(), ListExecutionsRequest()):
        await _list(replica, source, request)


async def _list(replica: Replica, source: DataSource, request: Message) -> None:
    kind = kinds_by_request()[type(request)]
    async for resources in _pages(source, request):
        replica.fill(kind, resources)


async def _pages(source: DataSource, request: Any) -> AsyncIterator[list[Any]]:
    plural = kinds_by_request()[type(request)].plural
    # Nobody changes when something was made, so that no page misses what moved to another one.
    request.order_by = "create_time"
    request.page_size = PAGE_SIZE
    while True:
        page = await _ask(source, request)
        yield list(getattr(page, plural))
        request.page_token = page.next_page_token
        if not request.page_token:
            return


async def _ask(source: DataSource, request: Message) -> Any:
    while True:
        try:
            return (await source.call(request)).message
        except LimitExceeded as limit:
            # Who has many projects asks for the members of each: more calls than a burst has.
            pause = limit.retry_after.total_seconds() if limit.retry_after else PAUSE_SECONDS
            await asyncio.sleep(pause)
