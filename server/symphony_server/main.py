"""The wiring, and the only place for it: settings → store → use cases → gRPC server."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import grpc

from symphony_server.access.authentication import Authenticator
from symphony_server.access.json_web_tokens import JwtVerifier
from symphony_server.access.key_set import KeySet
from symphony_server.clock import MICROSECONDS, now_us
from symphony_server.demo import create_demo_world
from symphony_server.identities import StoredIdentities
from symphony_server.rpc.exchange import Services
from symphony_server.rpc.load import Load
from symphony_server.rpc.observations import Observations
from symphony_server.rpc.refusal_log import RefusalLog
from symphony_server.rpc.request_rates import RequestRates
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

_log = logging.getLogger(__name__)

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


async def start_server(settings: Settings) -> RunningServer:
    """Open the store, make what the settings ask for, and serve.

    Raises what `open_store` raises, and RuntimeError when the address is taken.
    """
    store = open_store(settings)
    store.start()
    try:
        deployment = await deploy(settings, store)
        made_admin = await _first_start(settings, store, deployment)
        feed = ChangeFeed(store)
        store.committed = feed.committed
        services = Services(
            store=store,
            feed=feed,
            authenticator=Authenticator(StoredIdentities(store), _jwt_verifier(settings)),
            deployment=deployment,
            load=Load(max_calls=settings.max_calls, max_streams=settings.max_streams),
            rates=RequestRates(deployment.tiers),
            observations=Observations(),
            refusals=RefusalLog(store),
            client_certificates=settings.tls_client_ca is not None,
        )
        # gRPC's own bound is far above ours, which can answer with details.
        rpc = RpcServer(services, max_concurrent=settings.max_calls * 4)
        port = await rpc.start(settings.listen, _credentials(settings))
        _prepare_in_background()
    except BaseException:
        await store.close()
        raise
    housekeeping = asyncio.create_task(_keep_house(store, settings.change_retention_seconds))
    return RunningServer(port, made_admin, services, settings, store, rpc, housekeeping)


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
