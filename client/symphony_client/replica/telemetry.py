"""How old a replica's answers may be, for OpenTelemetry: needs the extra `[otel]`, and only when
it is called.

    from symphony_client.replica.telemetry import instrument

    instrument(hybrid)

Three gauges, of what `staleness()` says. One that has no value is left out: the seconds of a
replica that never had everything, the revision while reads go to the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from symphony_client.meters import meter_of
from symphony_client.replica.staleness import Staleness

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

STALENESS: Final = "symphony.client.replica.staleness"
REVISION: Final = "symphony.client.replica.revision"
CONNECTED: Final = "symphony.client.replica.connected"
ATTRIBUTE: Final = "replica"


class HasStaleness(Protocol):
    """What reads from a replica: a `HybridDataSource`."""

    def staleness(self) -> Staleness:
        """How far the replica is behind; from any thread."""


def instrument(
    source: HasStaleness, meter_provider: MeterProvider | None = None, *, name: str = ""
) -> None:
    """Offers how far a replica is behind to `meter_provider`, by default the global one.

    It is read whenever the provider collects. Call it once for a source; several in one process
    need a `name` each, which becomes the attribute `replica`.

    Raises:
        ModuleNotFoundError: OpenTelemetry is not installed.
    """
    meter = meter_of("replica", meter_provider, needed_for="a replica's metrics")
    attributes = {ATTRIBUTE: name} if name else {}

    def observed(
        value: Callable[[Staleness], float | None],
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        from opentelemetry.metrics import Observation

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            now = value(source.staleness())
            return () if now is None else (Observation(now, attributes),)

        return observe

    meter.create_observable_gauge(
        STALENESS,
        [observed(lambda now: now.seconds)],
        unit="s",
        description="Time since the replica was last known to have everything.",
    )
    meter.create_observable_gauge(
        REVISION,
        [observed(lambda now: now.revision)],
        unit="{revision}",
        description="The store's revision that reads are answered as of.",
    )
    meter.create_observable_gauge(
        CONNECTED,
        [observed(lambda now: int(now.connected))],
        unit="1",
        description="1 while the change feed is being followed.",
    )
