"""What the domains have in common: resources found, listed and written through a data source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Generic, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from symphony_client.data_source import DataSource
from symphony_client.errors import NotFound, OperationNotSupported

ResourceT = TypeVar("ResourceT", bound=Message)

EVERY_FIELD: Final = ("*",)
"""The update mask of all fields that may be changed (AIP-134)."""


async def read(source: DataSource, request: Message) -> Any:
    """Return what is asked for, or None if it is not there."""
    try:
        return (await source.call(request)).message
    except NotFound:
        return None


async def pages(source: DataSource, criteria: Any, field: str) -> AsyncIterator[Any]:
    """Iterate over the resources of all pages; `field` is where a response has them."""
    request = type(criteria)()
    request.CopyFrom(criteria)
    while True:
        page = (await source.call(request)).message
        for resource in getattr(page, field):
            yield resource
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


class Resources(Generic[ResourceT]):
    """Resources of one kind behind a data source; a subclass says which requests they take."""

    _KIND: str
    """The resource's field in its Update request."""
    _PLURAL: str
    """The resources' field in the answer to their List request."""
    _GET: type[Any]
    _UPDATE: type[Any]

    def __init__(self, source: DataSource) -> None:
        """Ask `source`."""
        self._source = source

    async def find_by_id(self, resource_id: str) -> ResourceT | None:
        """See `DataStore.find_by_id`."""
        found: ResourceT | None = await read(self._source, self._GET(id=resource_id))
        return found

    def find_by_criteria(self, criteria: Message) -> AsyncIterator[ResourceT]:
        """See `QueryableStore.find_by_criteria`."""
        return pages(self._source, criteria, self._PLURAL)

    async def save(
        self, entity: ResourceT, *, paths: Sequence[str] = (), request_id: str = ""
    ) -> ResourceT:
        """See `DataStore.save`."""
        resource: Any = entity
        if not resource.id:
            return await self._create(entity, request_id)
        request = self._UPDATE(
            **{self._KIND: entity},
            update_mask=FieldMask(paths=paths or EVERY_FIELD),
            request_id=request_id,
        )
        saved: ResourceT = await self._ask(request)
        return saved

    async def _create(self, entity: ResourceT, request_id: str) -> ResourceT:
        raise NotImplementedError

    async def _ask(self, request: Message) -> Any:
        return (await self._source.call(request)).message


def not_supported(what: str, instead: str) -> OperationNotSupported:
    """The error for what a domain does not offer."""
    return OperationNotSupported(f"{what} is not offered; {instead}")
