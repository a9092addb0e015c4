"""From settings to a data source: the one place that knows every adapter."""

from __future__ import annotations

from symphony_client.adapters.cached import CachedDataSource
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.adapters.local import LocalDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.data_source import DataSource
from symphony_client.settings import ClientSettings


def open_data_source(settings: ClientSettings) -> DataSource:
    """The data source that the settings name; nothing is opened before its first call."""
    match settings.data_source:
        case "grpc":
            return GrpcDataSource(settings.channel())
        case "cached":
            return CachedDataSource(
                GrpcDataSource(settings.channel()),
                ttl_seconds=settings.cache_ttl_seconds,
                max_entries=settings.cache_max_entries,
            )
        case "hybrid":
            return HybridDataSource(
                GrpcDataSource(settings.channel()), settings.replica, server=settings.server
            )
        case "local":
            return LocalDataSource(
                settings.database_url,
                user=settings.local_user,
                channel=settings.channel(),
            )
        case "mock":
            return MockDataSource()
