"""What `stats()` counts, for OpenTelemetry: needs the extra `[otel]`, and only when it is called.

    from symphony_client.prevalidation.telemetry import instrument

    instrument()

Three counters, each with the attribute `request` (`CreateWorkflowRequest`): the requests checked,
those of them refused, and the seconds that looking at them took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from symphony_client.meters import meter_of
from symphony_client.prevalidation.stats import RequestStats, stats

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

CHECKED: Final = "symphony.client.prevalidation.checked"
REFUSED: Final = "symphony.client.prevalidation.refused"
DURATION: Final = "symphony.client.prevalidation.duration"
ATTRIBUTE: Final = "request"


def instrument(meter_provider: MeterProvider | None = None) -> None:
    """Offers the counts of this process to `meter_provider`, by default the global one.

    They are read whenever the provider collects, those from before this call included. Call it
    once: a provider that is given the same counters twice warns of it.

    Raises:
        ModuleNotFoundError: OpenTelemetry is not installed.
    """
    meter = meter_of("prevalidation", meter_provider, needed_for="pre-validation's metrics")
    meter.create_observable_counter(
        CHECKED,
        [_observed(lambda counted: counted.checked)],
        unit="{request}",
        description="Requests that pre-validation looked at.",
    )
    meter.create_observable_counter(
        REFUSED,
        [_observed(lambda counted: counted.refused)],
        unit="{request}",
        description="Requests that pre-validation refused, each one a call saved.",
    )
    meter.create_observable_counter(
        DURATION,
        [_observed(lambda counted: counted.total_seconds)],
        unit="s",
        description="How long looking at all requests took.",
    )


def _observed(
    value: Callable[[RequestStats], float],
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        for request, counted in stats().by_request.items():
            yield Observation(value(counted), {ATTRIBUTE: request})

    return observe
