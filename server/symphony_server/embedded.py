"""The whole server inside another process, for tests and for programs that need no other.

It runs on a thread and an event loop of its own and listens on loopback, so that callers
meet the same wire, checks and records as with any server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from symphony.v1.access_service_pb2 import CreateTokenResponse
from symphony_server import operator_tokens
from symphony_server.main import RunningServer, start_server
from symphony_server.refusal import Refused
from symphony_server.settings import Settings
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.bootstrap import create_first_admin

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

T = TypeVar("T")


class EmbeddedServer:
    """A server for as long as a `with` block lasts.

    A process that never leaves the block ends all the same, as if it were killed: what was
    answered is durable, and the tokens for operators stay as they are.

    >>> with EmbeddedServer(Settings(listen="127.0.0.1:0")) as server:
    ...     channel = grpc.insecure_channel(server.target)
    """

    def __init__(self, settings: Settings, tracer_provider: TracerProvider | None = None) -> None:
        """Take the settings, and where its calls' spans go if anywhere; nothing is opened yet."""
        self._settings = settings
        self._tracer_provider = tracer_provider
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="embedded-server", daemon=True
        )
        self._token_ids: list[str] = []
        self.running: RunningServer
        """The running server, inside the block."""

    @classmethod
    def on_database(cls, database_url: str) -> Self:
        """A server on a database, listening on a free port of loopback.

        The other settings are those of the environment, but for what belongs to a server that
        others reach. Raises ValidationError.
        """
        return cls(
            Settings(
                database_url=database_url,
                listen="127.0.0.1:0",
                dev=False,
                bootstrap_admin=None,
                token_file=None,
                tls_cert=None,
                tls_key=None,
                tls_client_ca=None,
                tls_require_client_cert=False,
                metrics=None,
            )
        )

    def operator_token(self, email: str) -> str:
        """A token of the user with an e-mail address, good until the server stops.

        Whoever may open the database is its operator. In an empty one the user is made, as its
        first ADMIN. Raises LookupError, in a sentence, when there are users but not this one.
        """
        services = self.running.services

        def make_admin(transaction: Transaction) -> None:
            create_first_admin(transaction, services.deployment, email)

        async def make() -> CreateTokenResponse:
            await services.store.write(make_admin)
            return await operator_tokens.create(
                services.store,
                services.deployment,
                user=email,
                name="embedded server",
                scopes=["*"],
                days=None,
            )

        try:
            made = self.run(make())
        except Refused as refused:
            raise LookupError(refused.violations[0].description) from refused
        self._token_ids.append(made.token.id)
        return made.secret

    @property
    def target(self) -> str:
        """`HOST:PORT` to connect to."""
        return f"{self._settings.listen.rpartition(':')[0]}:{self.running.port}"

    def __enter__(self) -> Self:
        """Start. Raises what `start_server` raises."""
        self._thread.start()
        try:
            self.running = self.run(start_server(self._settings, self._tracer_provider))
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, once every call that was accepted is answered and durable."""
        try:
            self.run(self._stop())
        finally:
            self._end_loop()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns or raises when it is run on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _stop(self) -> None:
        services = self.running.services
        try:
            for token_id in self._token_ids:
                await operator_tokens.revoke(services.store, services.deployment, token_id=token_id)
        finally:
            await self.running.stop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
