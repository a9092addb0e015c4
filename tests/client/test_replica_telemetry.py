"""What OpenTelemetry is told of a replica: what `staleness()` says."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Gauge, InMemoryMetricReader, NumberDataPoint

from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.replica.staleness import Staleness
from symphony_client.replica.telemetry import CONNECTED, REVISION, STALENESS, instrument


@dataclass
class Replica:
    """One that is as far as it is said to be."""

    now: Staleness

    def staleness(self) -> Staleness:
        return self.now


def collected(reader: InMemoryMetricReader) -> dict[tuple[str, str], float]:
    """The values by the gauge's and the replica's name."""
    data = reader.get_metrics_data()
    found: dict[tuple[str, str], float] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
        assert isinstance(metric.data, Gauge)
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            assert point.attributes is not None
            found[metric.name, str(point.attributes.get("replica", ""))] = point.value
    return found


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> MeterProvider:
    return MeterProvider(metric_readers=[reader], shutdown_on_exit=False)


def test_a_replica_is_told_as_it_is_whenever_it_is_asked(
    reader: InMemoryMetricReader, provider: MeterProvider
) -> None:
    replica = Replica(Staleness(revision=7, seconds=1.5, connected=True))
    instrument(replica, provider, name="near")
    assert collected(reader) == {
        (STALENESS, "near"): 1.5,
        (REVISION, "near"): 7,
        (CONNECTED, "near"): 1,
    }
    replica.now = Staleness(revision=None, seconds=60.0, connected=False)
    assert collected(reader) == {(STALENESS, "near"): 60.0, (CONNECTED, "near"): 0}


async def test_a_hybrid_source_is_such_a_replica(
    reader: InMemoryMetricReader, provider: MeterProvider
) -> None:
    source = HybridDataSource(MockDataSource())
    instrument(source, provider)
    assert collected(reader) == {(CONNECTED, ""): 0}
    await source.close()


def test_without_opentelemetry_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    replica = Replica(Staleness(revision=None, seconds=None, connected=False))
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'symphony-data\[otel\]'"):
        instrument(replica)
