"""What a server's metrics say, read as Prometheus reads them."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0"
PATIENCE_SECONDS: Final = 10


class Scrape:
    """One scrape."""

    def __init__(self, address: str, *, open_metrics: bool = False) -> None:
        request = urllib.request.Request(
            f"http://{address}/metrics", headers={"Accept": OPEN_METRICS} if open_metrics else {}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            self.text: str = answer.read().decode()
        read = read_open_metrics if open_metrics else text_string_to_metric_families
        self.families: list[Metric] = list(read(self.text))

    @property
    def samples(self) -> Iterator[Sample]:
        return (sample for family in self.families for sample in family.samples)

    def value(self, name: str, **labels: str) -> float:
        """The one sample with a name and exactly these labels."""
        (found,) = (s.value for s in self.samples if s.name == name and s.labels == labels)
        return found

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The samples above 0 with a name and these labels, by another label."""
        return {
            s.labels[label]: s.value
            for s in self.samples
            if s.name == name and s.value and labels.items() <= s.labels.items()
        }


def eventually(address: str, holds: Callable[[Scrape], bool]) -> Scrape:
    """The first scrape for which something holds: a call is counted just after its answer."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        scrape = Scrape(address)
        if holds(scrape):
            return scrape
        assert time.monotonic() < until, scrape.text
