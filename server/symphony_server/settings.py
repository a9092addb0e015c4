"""The settings of a server: from the command line, `SYMPHONY_…` variables, or the defaults."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from symphony_server.rules.tiers import TierTable

DEV_ADMIN = "admin@localhost"
DEV_TOKEN_FILE = Path("symphony.token")


class Settings(BaseSettings):
    """Everything that can be set. Each is also an environment variable: `SYMPHONY_LISTEN`."""

    model_config = SettingsConfigDict(env_prefix="SYMPHONY_", frozen=True, extra="ignore")

    database_url: str = "sqlite:///symphony.db"
    """Where the data is: `sqlite:///FILE`, or `postgresql://HOST/NAME` as libpq takes it."""
    listen: str = "127.0.0.1:50051"
    """`HOST:PORT` to serve on; port 0 takes a free one."""
    bootstrap_admin: str | None = None
    """On an empty database: the e-mail address of the first ADMIN."""
    token_file: Path | None = None
    """Where the first ADMIN's token is written (mode 0600)."""
    dev: bool = False
    """For trying out: makes the first ADMIN and a small demo world, and says what to do next."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that serve; several share the port, and a supervisor keeps them."""
    max_connection_age_seconds: float | None = Field(default=None, ge=1)
    """After how long a client is asked to connect anew, so that connections spread; by default
    never, and with several workers after five minutes."""
    insecure: bool = False
    """Serve without TLS beyond loopback all the same."""
    tls_cert: Path | None = None
    """The server's certificate chain, PEM."""
    tls_key: Path | None = None
    """The certificate's private key, PEM."""
    tls_client_ca: Path | None = None
    """The CA of client certificates, PEM; a client may show one then, and is its user."""
    tls_require_client_cert: bool = False
    """Take only connections with a client certificate of that CA."""
    jwt_issuer: str | None = None
    """The identity provider, as its tokens' `iss` names it."""
    jwt_audience: str | None = None
    """This service, as the tokens' `aud` must name it."""
    jwt_keys: str | None = None
    """The provider's JWKS: a file or an http(s) URL, read again as it changes."""
    auto_migrate: bool = True
    """Apply pending migrations at start."""
    pg_bin: Path | None = None
    """The folder of PostgreSQL's `pg_dump` and `pg_restore`; looked for on PATH by default."""
    max_calls: int = Field(default=1000, ge=1)
    """Calls under way at once; more are refused as OVERLOADED."""
    max_streams: int = Field(default=2000, ge=1)
    """Watches open at once; more are refused as OVERLOADED."""
    max_streams_per_user: int | None = Field(default=None, ge=1)
    """Of those, how many one user may have open; by default half of them, so that nobody can take
    all."""
    change_retention_seconds: float = Field(default=86_400.0, gt=0)
    """How long changes are kept for those who watch and were away."""
    drain_seconds: float = Field(default=0.0, ge=0)
    """How long a stopping server says NOT_SERVING before it refuses calls."""
    grace_seconds: float = Field(default=10.0, ge=0)
    """How long a stopping server lets calls finish."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least grave lines that are logged: refusals are INFO, every call is DEBUG."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """`auto` is console on a terminal and json otherwise."""
    metrics: str | None = None
    """`HOST:PORT` to serve Prometheus metrics on, which hold no secrets; none by default."""
    traces: bool = False
    """Make spans of calls, and send them where the standard `OTEL_…` variables say."""
    worker: int | None = Field(default=None, ge=0)
    """Which of several processes this is: in its logs, and added to the port of its metrics."""
    rate_limits: bool = True
    """Hold users to their tier's requests a second."""
    tiers: TierTable = TierTable()
    """The limits of each tier, as JSON: `{"free": {"max_workflows": 20}}`."""

    @field_validator("listen", "metrics")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("must be HOST:PORT, for example 127.0.0.1:50051 or [::1]:50051")
        return value

    @model_validator(mode="before")
    @classmethod
    def _dev_implies(cls, values: Any) -> Any:
        if isinstance(values, dict) and _is_true(values.get("dev", False)):
            values = {**values}
            values.setdefault("bootstrap_admin", DEV_ADMIN)
            values.setdefault("token_file", DEV_TOKEN_FILE)
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.bootstrap_admin is not None and self.token_file is None:
            raise ValueError("bootstrap_admin needs token_file, where the admin's token is written")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: give both or neither")
        if self.tls_require_client_cert and self.tls_client_ca is None:
            raise ValueError(
                "tls_require_client_cert needs tls_client_ca, the CA that client certificates "
                "are checked against"
            )
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        if len({self.jwt_issuer is None, self.jwt_audience is None, self.jwt_keys is None}) > 1:
            raise ValueError("jwt_issuer, jwt_audience and jwt_keys belong together")
        if (
            not self.insecure
            and self.tls_cert is None
            and not _is_loopback(self.listen.rpartition(":")[0])
        ):
            raise ValueError(
                f"listen: {self.listen} is reachable from other machines, and without TLS anybody "
                "on the way reads the tokens; give --tls-cert and --tls-key, listen on 127.0.0.1, "
                "or say --insecure"
            )
        return self

    @property
    def most_streams_per_user(self) -> int:
        """How many streams a user may have open, whether it was set or not."""
        return self.max_streams_per_user or max(1, self.max_streams // 2)

    @property
    def metrics_address(self) -> str | None:
        """Where this very process serves its metrics: each worker has a port of its own."""
        host, _, port = (self.metrics or "").rpartition(":")
        if not host:
            return None
        return f"{host}:{int(port) + (self.worker or 0)}" if int(port) else f"{host}:0"


def _is_true(value: Any) -> bool:
    try:
        return TypeAdapter(bool).validate_python(value)
    except ValidationError:
        return False  # the field itself says what is wrong


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
