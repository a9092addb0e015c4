"""The wiring, and the only place for it: settings → store → use cases → gRPC server."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

from symphony_server.access.authentication import Authenticator
from symphony_server.access.json_web_tokens import JwtVerifier
from symphony_server.access.key_set import KeySet
from symphony_server.clock import MICROSECONDS, now_us
from symphony_server.demo import create_demo_world
from symphony_server.identities import StoredIdentities
from symphony_server.metrics import MetricsServer, Observed
from symphony_server.rpc.exchange import Services
from symphony_server.rpc.load import Load
from symphony_server.rpc.observations import Observations
from symphony_server.rpc.refusal_log import RefusalLog
from symphony_server.rpc.request_rates import Buckets, OwnBuckets, RequestRates
from symphony_server.rpc.requests import Requests
from symphony_server.rpc.server import RpcServer, served_services
from symphony_server.rules.manifest import judge
from symphony_server.settings import Settings
from symphony_server.store.change_feed import ChangeFeed
from symphony_server.store.database import parse_url
from symphony_server.store.doors import Store
from symphony_server.store.migrate import SchemaOutdated, migrate, pending
from symphony_server.store.opening import store_at
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases import page_tokens
from symphony_server.use_cases.audit import signing
from symphony_server.use_cases.bootstrap import bootstrap_admin
from symphony_server.use_cases.call import Deployment
from symphony_server.use_cases.write import REQUEST_ID_RETENTION_US

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

_log = logging.getLogger(__name__)

WORKER_CONNECTION_AGE_SECONDS: Final = 300.0
"""A connection stays with one worker, however idle another; this bounds for how long."""
HOUSEKEEPING_SECONDS: Final = 60.0
HOUSEKEEPING_ROWS: Final = 1000
"""Expired rows removed in one transaction, so that no caller waits long for it."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name, migrated but not started.

    Raises UnsupportedDatabase, SchemaNewer, and SchemaOutdated when it is not to migrate.
    """
    address = parse_url(settings.database_url)
    if settings.auto_migrate:
        migrate(address)
    elif pending(address):
        raise SchemaOutdated("the database lacks migrations; run 'symphony migrate' first")
    return store_at(address)


async def deploy(settings: Settings, store: Store) -> Deployment:
    """What holds for every call, with the keys that all servers on the database share."""

    def keys(transaction: Transaction) -> tuple[bytes, bytes]:
        return (
            _shared_key(transaction, page_tokens.KEY_NAME, page_tokens.KEY_BYTES),
            _shared_key(transaction, signing.KEY_NAME, signing.KEY_BYTES),
        )

    page_token_key, audit_key = await store.write(keys)
    return Deployment(
        tiers=settings.tiers if settings.rate_limits else settings.tiers.without_rates(),
        page_tokens=page_tokens.PageTokens(page_token_key),
        head_signer=signing.HeadSigner(audit_key),
        services=served_services(),
    )


@dataclass
class RunningServer:
    """A server that answers calls."""

    port: int
    made_admin: bool
    """True when this start made the first ADMIN."""
    services: Services
    _settings: Settings
    _store: Store
    _rpc: RpcServer
    _housekeeping: asyncio.Task[None]
    _metrics: MetricsServer | None
    _end_tracing: Callable[[], None]

    @property
    def metrics_address(self) -> str | None:
        """`HOST:PORT` where metrics are served, if they are."""
        return None if self._metrics is None else self._metrics.address

    async def stop(self) -> None:
        """Drain: refuse what is new, finish what runs, make it durable, close."""
        await self._rpc.stop(
            drain_seconds=self._settings.drain_seconds, grace_seconds=self._settings.grace_seconds
        )
        self._housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._housekeeping
        await self.services.refusals.close()
        await self._store.close()
        if self._metrics is not None:
            await asyncio.to_thread(self._metrics.close)
        await asyncio.to_thread(self._end_tracing)


async def start_server(
    settings: Settings,
    tracer_provider: TracerProvider | None = None,
    *,
    buckets: Buckets | None = None,
) -> RunningServer:
    """Open the store, make what the settings ask for, and serve.

    With buckets it is one of several workers, which count users' requests in them together and
    share the port.
    Calls are traced where a provider of OpenTelemetry is given, which stays the caller's, or
    where the settings say so. Raises what `open_store` raises, TracesUnavailable, and
    RuntimeError or OSError when an address is taken.
    """
    tracer, end_tracing = _tracing(settings, tracer_provider)
    store = open_store(settings)
    store.start()
    metrics = None
    try:
        deployment = await deploy(settings, store)
        made_admin = await _first_start(settings, store, deployment)
        feed = ChangeFeed(store)
        store.committed = feed.committed
        seen = _as_traced(store, tracer)
        services = Services(
            store=seen,
            feed=feed,
            authenticator=Authenticator(StoredIdentities(seen), _jwt_verifier(settings)),
            deployment=deployment,
            load=Load(
                max_calls=settings.max_calls,
                max_streams=settings.max_streams,
                max_streams_per_user=settings.most_streams_per_user,
            ),
            rates=RequestRates(deployment.tiers, buckets or OwnBuckets()),
            observations=Observations(),
            refusals=RefusalLog(seen),
            requests=Requests(),
            client_certificates=settings.tls_client_ca is not None,
            tracer=tracer,
        )
        # gRPC's own bound is above all of ours, which can answer with details.
        rpc = RpcServer(
            services,
            max_concurrent=settings.max_calls * 4 + settings.max_streams,
            share_port=buckets is not None,
            max_connection_age_seconds=settings.max_connection_age_seconds
            or (None if buckets is None else WORKER_CONNECTION_AGE_SECONDS),
        )
        metrics = _serve_metrics(settings, services, rpc)
        port = await rpc.start(settings.listen, _credentials(settings))
        _prepare_in_background()
    except BaseException:
        if metrics is not None:
            metrics.close()
        await store.close()
        end_tracing()
        raise
    housekeeping = asyncio.create_task(_keep_house(store, settings.change_retention_seconds))
    return RunningServer(
        port, made_admin, services, settings, store, rpc, housekeeping, metrics, end_tracing
    )


def _tracing(
    settings: Settings, given: TracerProvider | None
) -> tuple[Tracer | None, Callable[[], None]]:
    """What makes spans, if anything, and what sends the last of them."""
    if given is None and not settings.traces:
        return None, _nothing
    # Here, so that who does not trace needs no OpenTelemetry.
    from symphony_server import tracing

    if given is not None:
        return tracing.tracer_of(given), _nothing
    made = tracing.tracer_provider(settings.worker)
    return tracing.tracer_of(made), made.shutdown


def _nothing() -> None:
    """Whose the provider is sends its spans."""


def _as_traced(store: Store, tracer: Tracer | None) -> Store:
    """The store as calls use it. The feed and housekeeping, which serve no one call, do not."""
    if tracer is None:
        return store
    from symphony_server.rpc.traced_store import TracedStore

    return TracedStore(store, tracer)


def _serve_metrics(settings: Settings, services: Services, rpc: RpcServer) -> MetricsServer | None:
    if settings.metrics_address is None:
        return None
    observed = Observed(
        services.observations, services.load, services.store, rpc.store_health, services.feed
    )
    several = settings.worker is not None
    metrics = MetricsServer(settings.metrics_address, observed, share_port=several)
    _log.info("metrics are served on http://%s/metrics", metrics.address)
    return metrics


def _prepare_in_background() -> None:
    """Load what judging manifests needs, so that the first caller does not wait for it."""
    threading.Thread(target=judge.prepare, name="prepare-scan", daemon=True).start()


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """What TLS needs, or None without TLS. Raises OSError for a file that cannot be read."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    client_ca = settings.tls_client_ca
    return grpc.ssl_server_credentials(
        [(settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())],
        root_certificates=None if client_ca is None else client_ca.read_bytes(),
        require_client_auth=settings.tls_require_client_cert,
    )


def _jwt_verifier(settings: Settings) -> JwtVerifier | None:
    issuer, audience, keys = settings.jwt_issuer, settings.jwt_audience, settings.jwt_keys
    if issuer is None or audience is None or keys is None:
        return None
    return JwtVerifier(issuer=issuer, audience=audience, keys=KeySet(keys))


async def _first_start(settings: Settings, store: Store, deployment: Deployment) -> bool:
    email, token_file = settings.bootstrap_admin, settings.token_file
    if email is None or token_file is None:
        return False

    def make(transaction: Transaction) -> bool:
        secret = bootstrap_admin(transaction, deployment, email)
        if secret is None:
            return False
        if settings.dev:
            create_demo_world(transaction, deployment)
        # Before the commit: an ADMIN whose token nobody has is worse than a file too many.
        _write_secret(token_file, secret)
        return True

    return await store.write(make)


def _write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner may read, all of it or none."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def _shared_key(transaction: Transaction, name: str, size: int) -> bytes:
    """The key with a name, made when the first server asks for it."""
    key = transaction.keys.get(name)
    if key is None:
        key = secrets.token_bytes(size)
        transaction.keys.insert(name, key)
    return key


def _forget_expired(before_us: int, transaction: Transaction) -> int:
    return transaction.request_ids.forget_expired(before_us=before_us, limit=HOUSEKEEPING_ROWS)


def _forget_changes(before_us: int, transaction: Transaction) -> int:
    return transaction.changes.compact(before_us=before_us, limit=HOUSEKEEPING_ROWS)


async def _keep_house(store: Store, change_retention_seconds: float) -> None:
    """Remove what has expired, now and then, a little at a time."""
    while True:
        try:
            now = now_us()
            retention_us = round(change_retention_seconds * MICROSECONDS)
            for forget in (
                partial(_forget_expired, now - REQUEST_ID_RETENTION_US),
                partial(_forget_changes, now - retention_us),
            ):
                while await store.write(forget) == HOUSEKEEPING_ROWS:
                    pass
        except Exception:
            _log.warning("housekeeping failed and is tried again", exc_info=True)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
