"""Going on in a list that the replica began, where the server has to give the rest."""

from __future__ import annotations

from typing import Any, Final

from symphony_client.accesses.resources import pages
from symphony_client.data_source import DataSource
from symphony_client.replica.page_tokens import page_token
from symphony_client.resources.kinds import kinds_by_request
from symphony_client.resources.resource_table import (
    DEFAULT_PAGE_SIZE,
    Position,
    is_descending,
    position_of,
)

MAX_PAGE_SIZE: Final = 1000
"""The contract's."""


async def page_on(source: DataSource, request: Any, start: Position) -> Any:
    """The page after a position, found by listing from the first on: the server knows nothing of
    the replica's page tokens. It costs what the list up to there does, once in a great while.

    Raises:
        DataError: the source did not answer.
    """
    kind = kinds_by_request()[type(request)]
    descending = is_descending(request.order_by)
    query = type(request)()
    query.CopyFrom(request)
    query.page_token, query.page_size = "", MAX_PAGE_SIZE
    size = request.page_size or DEFAULT_PAGE_SIZE
    found: list[Any] = []
    end: Position = start
    async for resource in pages(source, query, kind.plural):
        position = position_of(kind, request.order_by, resource)
        if position >= start if descending else position <= start:
            continue
        if len(found) == size:
            return kind.list_response(
                **{kind.plural: found}, next_page_token=page_token(request, end)
            )
        found.append(resource)
        end = position
    return kind.list_response(**{kind.plural: found})
