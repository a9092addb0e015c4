from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint, Sum

from symphony_client.errors import PreValidationFailed
from symphony_client.prevalidation import ContractRules, stats
from symphony_client.prevalidation.telemetry import CHECKED, DURATION, REFUSED, instrument
from tests.client import requests


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    """Reads what an instrumented provider collects."""
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    instrument(provider)
    yield reader
    provider.shutdown()


def collected(reader: InMemoryMetricReader) -> dict[tuple[str, str], float]:
    """The values by the counter's and the request's name."""
    found: dict[tuple[str, str], float] = {}
    data = reader.get_metrics_data()
    assert data is not None
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        assert isinstance(metric.data, Sum)
        assert metric.data.is_monotonic
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            assert point.attributes is not None
            found[metric.name, str(point.attributes["request"])] = point.value
    return found


def check_one_good_and_one_bad_create() -> None:
    rules = ContractRules()
    rules.should_attempt_request(requests.create_workflow())
    with pytest.raises(PreValidationFailed):
        rules.should_attempt_request(requests.malformed_workflow())


def test_what_is_checked_and_refused_is_collected_by_kind_of_request(
    reader: InMemoryMetricReader,
) -> None:
    check_one_good_and_one_bad_create()
    before = collected(reader)

    check_one_good_and_one_bad_create()
    ContractRules().should_attempt_request(requests.get_workflow())

    after = collected(reader)
    kind = "CreateWorkflowRequest"
    assert after[CHECKED, kind] == before[CHECKED, kind] + 2
    assert after[REFUSED, kind] == before[REFUSED, kind] + 1
    assert after[DURATION, kind] > before[DURATION, kind]
    assert after[CHECKED, "GetWorkflowRequest"] >= 1
    assert after[REFUSED, "GetWorkflowRequest"] == stats().by_request["GetWorkflowRequest"].refused


def test_without_opentelemetry_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'symphony-data\[otel\]'"):
        instrument()
