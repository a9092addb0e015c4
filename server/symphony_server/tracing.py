"""Where a server's spans go, as the standard `OTEL_…` variables say. Needs OpenTelemetry."""

from __future__ import annotations

import os
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer
    from opentelemetry.trace import TracerProvider as AnyTracerProvider

EXPORTERS: Final = "opentelemetry_traces_exporter"
"""The entry points by which exporters are found, whoever made them."""
WORKER: Final = "symphony.worker"
"""The attribute of all spans of one of several processes: its number, as its logs have it."""
NEEDED: Final = "traces need OpenTelemetry: pip install 'symphony-data[server,otel]'"


class TracesUnavailable(RuntimeError):
    """Traces were asked for, and something is missing for it."""


def tracer_provider(worker: int | None = None) -> TracerProvider:
    """A provider that exports to where `OTEL_TRACES_EXPORTER` says, over OTLP by default, for the
    one process or the `worker` with a number.

    The SDK reads the other variables: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_ENDPOINT`… Raises TracesUnavailable.
    """
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracesUnavailable(NEEDED) from error

    resource = Resource.create({"service.version": version("symphony-data")})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "symphony"}))
    if worker is not None:
        resource = resource.merge(Resource({WORKER: worker}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for name in _exporter_names():
        provider.add_span_processor(BatchSpanProcessor(_exporter(name)))
    return provider


def tracer_of(provider: AnyTracerProvider) -> Tracer:
    """What makes this server's spans."""
    return provider.get_tracer("symphony_server", version("symphony-data"))


def _exporter_names() -> list[str]:
    names = (os.environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(",")
    return [name.strip() for name in names if name.strip() not in ("", "none")]


def _exporter(name: str) -> Any:
    """An exporter by the name that the specification gives it."""
    entry = name
    if name == "otlp":
        variables = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
        protocol = next(filter(None, map(os.environ.get, variables)), "http/protobuf")
        entry = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    found = entry_points(group=EXPORTERS, name=entry)
    if not found:
        raise TracesUnavailable(
            f"OTEL_TRACES_EXPORTER: there is no exporter {name!r} (looked for {entry!r}); "
            "install the package that brings it, or say 'console'"
        )
    return next(iter(found)).load()()
