"""Sources to hang a replica on, one that counts and one whose feed breaks off; when it is ready."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from symphony.v1.change_pb2 import Checkpoint
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.data_source import Answer, DataSource
from symphony_client.errors import DataError, NetworkError
from symphony_client.replica.backoff import Backoff
from symphony_client.resources.kinds import KINDS, PROJECT_MEMBER, kinds_by_request
from symphony_client.resources.resource_table import DEFAULT_PAGE_SIZE
from tests.contract.adapters.adapters import grpc_source
from tests.server.world import Person, World

SOON = Backoff(first_seconds=0.001, longest_seconds=0.01)


class Line:
    """The line to a data source, of which it is known what went over it, and which can be cut."""

    def __init__(self, inner: DataSource) -> None:
        self.inner = inner
        self.calls: list[Message] = []
        self.watches: list[WatchRequest] = []
        self.error: DataError | None = None
        """What everything ends in while it is set."""
        self.before: Callable[[Message], Awaitable[None]] = _nothing
        """What happens before a call is made."""
        self.silent = False
        """Whether watches say nothing, and do not end."""
        self.checkpoints = True
        """Whether watches from a revision on tell any."""
        self.lags = False
        """Whether watches begin with a checkpoint of where they begin, as from a server that does
        not know of the last changes yet."""
        self._heard: set[asyncio.Queue[WatchResponse | DataError | None]] = set()

    def cut(self, error: DataError | None = None) -> None:
        self.error = error or NetworkError("the line is cut")
        for came in self._heard:
            came.put_nowait(self.error)

    def end(self) -> None:
        """End the watches, without an error."""
        for came in self._heard:
            came.put_nowait(None)

    def mend(self) -> None:
        self.error = None

    async def call(self, request: Message) -> Answer:
        self.calls.append(request)
        if self.error is not None:
            raise self.error
        await self.before(request)
        return await self.inner.call(request)

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        self.watches.append(request)
        came: asyncio.Queue[WatchResponse | DataError | None] = asyncio.Queue()
        listening = asyncio.create_task(self._listen(request, came))
        try:
            while True:
                one = await came.get()
                if one is None:
                    return
                if isinstance(one, DataError):
                    raise one
                yield one
        finally:
            listening.cancel()
            self._heard.discard(came)
            await asyncio.wait((listening,))

    async def _listen(
        self, request: WatchRequest, came: asyncio.Queue[WatchResponse | DataError | None]
    ) -> None:
        self._heard.add(came)
        try:
            if self.error is not None:
                raise self.error
            if self.lags and request.start_revision:
                early = Checkpoint(revision=request.start_revision)
                came.put_nowait(WatchResponse(checkpoint=early))
            async for message in self.inner.watch(request):
                is_change = message.WhichOneof("event") == "change"
                told = is_change or self.checkpoints or not request.start_revision
                if told and not self.silent:
                    came.put_nowait(message)
        except DataError as error:
            came.put_nowait(error)

    def acting_as(self, user_id: str) -> DataSource:
        return self.inner.acting_as(user_id)

    async def close(self) -> None:
        await self.inner.close()


async def _nothing(_: Message) -> None:
    pass


class Unsteady:
    """A data source whose feed breaks off after a few messages, as often as it is told to."""

    def __init__(
        self, inner: DataSource, chance: random.Random, *, breaks: int, most_messages: int
    ) -> None:
        self.inner = inner
        self.breaks_left = breaks
        self.heard: list[tuple[int, list[WatchResponse]]] = []
        """Of each watch, where it began and what came."""
        self._chance = chance
        self._most_messages = most_messages

    async def call(self, request: Message) -> Answer:
        return await self.inner.call(request)

    async def watch(self, request: WatchRequest) -> AsyncIterator[WatchResponse]:
        came: list[WatchResponse] = []
        self.heard.append((request.start_revision, came))
        # A watch from now is for its first checkpoint alone.
        breaks = self.breaks_left > 0 and request.start_revision > 0
        lives = self._chance.randint(1, self._most_messages)
        stream: Any = self.inner.watch(request)
        try:
            async for message in stream:
                came.append(message)
                yield message
                lives -= 1
                if breaks and lives == 0:
                    self.breaks_left -= 1
                    raise NetworkError("broken off")
        finally:
            await stream.aclose()

    def acting_as(self, user_id: str) -> DataSource:
        return self.inner.acting_as(user_id)

    async def close(self) -> None:
        await self.inner.close()


def line_to(world: World, person: Person | None = None) -> Line:
    return Line(grpc_source(world, (person or world.admin).secret))


def hybrid(inner: DataSource, *args: Any, **settings: Any) -> HybridDataSource:
    return HybridDataSource(inner, *args, **{"backoff": SOON, **settings})


async def until(condition: Callable[[], Any]) -> None:
    """Return when something is so; the test's timeout is the limit."""
    while not condition():  # noqa: ASYNC110 - what it is about has no event for tests
        await asyncio.sleep(0.001)


async def ready(source: HybridDataSource, request: Message, *, revision: int = 0) -> None:
    """Ask, so that the replica opens, and return when it answers and has a revision."""
    await source.call(request)
    await until(lambda: is_ready(source, revision))


async def answered(source: DataSource, request: Message) -> Any:
    return (await source.call(request)).message


async def every(source: DataSource, request: Any) -> list[Any]:
    """All pages of a list; no page has more than it may."""
    asked = type(request)()
    asked.CopyFrom(request)
    plural = kinds_by_request()[type(request)].plural
    found: list[Any] = []
    while True:
        page = await answered(source, asked)
        assert len(getattr(page, plural)) <= (request.page_size or DEFAULT_PAGE_SIZE)
        found += getattr(page, plural)
        asked.page_token = page.next_page_token
        if not asked.page_token:
            return found


async def everything(source: DataSource) -> dict[type, list[Any]]:
    """All that there is but the members, as an ADMIN sees it."""
    return {
        kind.message: await every(source, kind.list_request(page_size=1000))
        for kind in KINDS
        if kind is not PROJECT_MEMBER
    }


def compact(world: World) -> None:
    """Forget every change but the last."""
    world.in_transaction(
        lambda transaction: transaction.changes.compact(
            before_us=transaction.time_us + 1, limit=10_000
        )
    )


def is_ready(source: HybridDataSource, revision: int = 0) -> bool:
    staleness = source.staleness()
    return staleness.connected and staleness.revision is not None and staleness.revision >= revision
