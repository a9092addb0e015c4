"""What a running server counts, as Prometheus reads it: over HTTP, in a thread of its own.

Nothing is added to a call for it: `rpc` and `store` count, and this reads what they have
counted when somebody asks. Their dictionaries are copied first, which no other thread can
interrupt.

No label has a value that callers can choose: methods, codes and reasons are the contract's, and
standbys are named by who runs the database. The ids of a refused call are an exemplar of its
reason, for those who ask for OpenMetrics.
"""

from __future__ import annotations

import platform
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from symphony_server.histogram import NS_PER_SECOND, Histogram
from symphony_server.refusal import REASON_NAMES
from symphony_server.rpc.load import Load
from symphony_server.rpc.observations import Observations, Refusal
from symphony_server.store.change_feed import ChangeFeed
from symphony_server.store.doors import Store
from symphony_server.store.replication import Standby

OUTCOMES: Final = ("allowed", "validated", "denied", "failed")
SLOWEST_SECONDS: Final = 10
"""How long a scraper may say nothing before it is left."""


class Probed(Protocol):
    """What is known of the store's health."""

    answers: bool
    revision: int
    standbys: list[Standby]


@dataclass(frozen=True)
class Observed:
    """Where a server keeps what it counts."""

    observations: Observations
    load: Load
    store: Store
    store_health: Probed
    feed: ChangeFeed


class ServerMetrics(Collector):
    """Reads the counts when they are asked for."""

    def __init__(self, observed: Observed) -> None:
        """Take what to read; nothing is read yet."""
        self._observed = observed

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry would read everything once to learn the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything as it is now."""
        yield _build()
        yield from self._calls()
        yield from self._refusals()
        yield from self._writes()
        yield from self._revisions()
        yield from self._replication()

    def _calls(self) -> Iterator[Metric]:
        seen, load = self._observed.observations, self._observed.load
        calls = CounterMetricFamily(
            "symphony_calls", "Calls that ended, by how.", labels=("method", "code")
        )
        for (method, code), count in seen.calls.copy().items():
            calls.add_metric((method, code), count)
        yield calls
        durations = HistogramMetricFamily(
            "symphony_call_duration_seconds",
            "Time from a request's arrival to the end of its call.",
            labels=("method",),
        )
        for method, spent in seen.durations.copy().items():
            durations.add_metric((method,), *_in_seconds(spent))
        yield durations
        yield _gauge("symphony_calls_in_flight", "Calls under way, but for watches.", load.calls)
        yield _gauge("symphony_watches_open", "Watches under way.", load.streams)

    def _refusals(self) -> Iterator[Metric]:
        seen = self._observed.observations
        refusals = CounterMetricFamily(
            "symphony_refusals", "Calls that were refused, by the first reason.", labels=("reason",)
        )
        last = seen.last_refused.copy()
        # Those that did not happen too, so that the first of a kind is a rise.
        counted = {name: 0 for reason, name in REASON_NAMES.items() if reason} | dict(seen.refusals)
        for reason, count in counted.items():
            refusals.add_metric((reason,), count, exemplar=_exemplar(last.get(reason)))
        yield refusals
        decisions = CounterMetricFamily(
            "symphony_decisions",
            "Calls answered with a decision id, by the outcome that their audit record has.",
            labels=("outcome",),
        )
        for outcome in OUTCOMES:
            decisions.add_metric((outcome,), seen.decisions[outcome])
        yield decisions

    def _writes(self) -> Iterator[Metric]:
        store = self._observed.store
        counts = store.counts
        yield _gauge(
            "symphony_store_queue_length",
            "Writes that wait for the next transaction.",
            store.queued,
        )
        sizes, commands = _buckets(counts.sizes), counts.sizes.sum
        yield CounterMetricFamily(
            "symphony_store_commands", "Writes that were committed, records included.", commands
        )
        yield CounterMetricFamily(
            "symphony_store_batches", "Transactions that were committed.", store.batches
        )
        yield CounterMetricFamily(
            "symphony_store_failed_batches", "Transactions that the database failed.", counts.failed
        )
        yield HistogramMetricFamily(
            "symphony_store_batch_size",
            "Writes that shared a transaction (group commit).",
            sizes,
            commands,
        )
        yield HistogramMetricFamily(
            "symphony_store_batch_duration_seconds",
            "Time from a transaction's begin until it was durable.",
            *_in_seconds(counts.durations),
        )
        yield _gauge(
            "symphony_audit_tree_size",
            "Records in the audit log, as of the last transaction here.",
            counts.audit_records,
        )

    def _revisions(self) -> Iterator[Metric]:
        feed, health = self._observed.feed, self._observed.store_health
        followed, reached = feed.followed, feed.revision
        revision = max(self._observed.store.counts.revision, health.revision, reached)
        yield _gauge(
            "symphony_store_up", "1 if the store answered when last asked.", int(health.answers)
        )
        yield _gauge("symphony_store_revision", "The store's revision, as far as known.", revision)
        yield _gauge(
            "symphony_feed_revision",
            "The revision that watches can have; the store's own while there are none.",
            reached if followed else revision,
        )

    def _replication(self) -> Iterator[Metric]:
        standbys = self._observed.store_health.standbys
        states = Counter(standby.sync_state for standby in standbys)
        behind: dict[tuple[str, ...], float] = {}
        late: dict[tuple[str, ...], float] = {}
        for standby in standbys:
            for stage, lag in standby.lags.items():
                # Of several with one name the one that is furthest behind.
                at = standby.name, stage
                behind[at] = max(lag.bytes, behind.get(at, 0))
                if lag.seconds is not None:
                    late[at] = max(lag.seconds, late.get(at, 0.0))
        yield _gauges(
            "symphony_replication_standbys",
            "PostgreSQL's standbys, by what COMMIT makes of them.",
            ("sync_state",),
            {(state,): count for state, count in states.items()},
        )
        yield _gauges(
            "symphony_replication_lag_bytes",
            "Log that a standby has yet to keep (flush), or to show to readers (replay).",
            ("standby", "stage"),
            behind,
        )
        yield _gauges(
            "symphony_replication_lag_seconds",
            "How long what a standby last confirmed was on its way; 0 once it has everything.",
            ("standby", "stage"),
            late,
        )


class MetricsServer:
    """Answers scrapes until it is closed."""

    def __init__(self, address: str, observed: Observed, *, share_port: bool = False) -> None:
        """Listen on `HOST:PORT`; port 0 takes a free one. Raises OSError.

        `share_port` is for a worker that takes over from another, which still answers.
        """
        registry = CollectorRegistry()
        registry.register(ServerMetrics(observed))
        ProcessCollector(registry=registry)
        host, _, port = address.rpartition(":")
        kind: type[WSGIServer] = type(
            "Server",
            (ThreadingWSGIServer,),
            {
                "address_family": socket.AF_INET6 if ":" in host else socket.AF_INET,
                "allow_reuse_port": share_port,
            },
        )
        try:
            self._server = make_server(
                host.strip("[]"), int(port), make_wsgi_app(registry), kind, _Scrape
            )
        except OSError as error:
            raise OSError(f"metrics cannot be served on {address}: {error}") from error
        self.address = f"{host}:{self._server.server_port}"
        """`HOST:PORT`, with the port that was taken."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering; takes up to half a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Scrape(WSGIRequestHandler):
    timeout = SLOWEST_SECONDS

    def log_message(self, *_: object) -> None:
        """Nothing: scrapes come every few seconds."""


def _build() -> Metric:
    build = GaugeMetricFamily(
        "symphony_build_info", "What runs; always 1.", labels=("version", "python")
    )
    build.add_metric((version("symphony-data"), platform.python_version()), 1)
    return build


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value)


def _gauges(
    name: str,
    documentation: str,
    labels: tuple[str, ...],
    values: Mapping[tuple[str, ...], float],
) -> Metric:
    gauges = GaugeMetricFamily(name, documentation, labels=labels)
    for at, value in values.items():
        gauges.add_metric(at, value)
    return gauges


def _exemplar(refusal: Refusal | None) -> Exemplar | None:
    if refusal is None:
        return None
    ids = {"decision_id": refusal.decision_id}
    if refusal.trace_id:
        ids["trace_id"] = refusal.trace_id
    return Exemplar(ids, 1, refusal.at_seconds)


def _buckets(histogram: Histogram, unit: int = 1) -> list[tuple[str, float]]:
    """Cumulative counts by upper bound, as Prometheus has them."""
    bounds = (*(str(float(bound / unit)) for bound in histogram.bounds), "+Inf")
    return [*zip(bounds, histogram.cumulative(), strict=True)]


def _in_seconds(nanoseconds: Histogram) -> tuple[list[tuple[str, float]], float]:
    return _buckets(nanoseconds, NS_PER_SECOND), nanoseconds.sum / NS_PER_SECOND
