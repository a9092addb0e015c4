"""The store of a server that traces: what a call waits for is a span of it. Needs OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeVar

from opentelemetry.trace import INVALID_SPAN, Span, Tracer, get_current_span

from symphony_server.store.doors import Store
from symphony_server.store.transaction import Snapshot, Transaction
from symphony_server.store.write_counts import WriteCounts

T = TypeVar("T")

BEGUN: Final = "command begun"
"""The event that parts waiting for the batch before from the transaction itself."""


class TracedStore:
    """Makes each use of another store a span, where there is one to be part of. See `Store`."""

    def __init__(self, inner: Store, tracer: Tracer) -> None:
        """Take a store that others start and close."""
        self._inner = inner
        self._tracer = tracer

    @property
    def committed(self) -> Callable[[], None]:
        """See `Store.committed`."""
        return self._inner.committed

    @committed.setter
    def committed(self, tell: Callable[[], None]) -> None:
        self._inner.committed = tell

    @property
    def batches(self) -> int:
        """See `Store.batches`."""
        return self._inner.batches

    @property
    def counts(self) -> WriteCounts:
        """See `Store.counts`."""
        return self._inner.counts

    @property
    def queued(self) -> int:
        """See `Store.queued`."""
        return self._inner.queued

    def start(self) -> None:
        """See `Store.start`."""
        self._inner.start()

    async def close(self) -> None:
        """See `Store.close`."""
        await self._inner.close()

    async def write(self, command: Callable[[Transaction], T]) -> T:
        """See `Store.write`. The span says when the command began; the commit is after it."""
        with self._span("store.write") as span:

            def begin(transaction: Transaction) -> T:
                span.add_event(BEGUN)
                return command(transaction)

            return await self._inner.write(begin)

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.read`."""
        with self._span("store.read"):
            return await self._inner.read(query)

    async def point_read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Store.point_read`."""
        with self._span("store.point_read"):
            return await self._inner.point_read(query)

    def _span(self, name: str) -> AbstractContextManager[Span]:
        if not get_current_span().get_span_context().is_valid:
            return nullcontext(INVALID_SPAN)
        # A refusal is no failure of the store, and what a failure says is for the log only.
        return self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        )
