"""Meters of OpenTelemetry, which is asked for only when one is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter, MeterProvider


def meter_of(part: str, provider: MeterProvider | None, *, needed_for: str) -> Meter:
    """Returns the meter of a part of the client (`replica`), by default the global provider's.

    Raises:
        ModuleNotFoundError: OpenTelemetry is not installed; `needed_for` says what needs it.
    """
    try:
        from opentelemetry.metrics import get_meter_provider
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{needed_for} need OpenTelemetry: pip install 'symphony-data[otel]'", name=error.name
        ) from error
    return (provider or get_meter_provider()).get_meter(f"symphony_client.{part}")
