"""The client's settings: `SYMPHONY_…` variables, or the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from symphony_client.channel_settings import ChannelSettings
from symphony_client.service_config import MAX_ATTEMPTS

DataSourceName = Literal["grpc", "local", "mock", "hybrid", "cached"]
TestMode = Literal["mock", "contract", "integration"]


class SettingsInvalid(ValueError):
    """Environment variables have values that they do not take; `str()` of it names them all."""


class ClientSettings(BaseSettings):
    """What `DataAccess.from_env()` reads. Each is an environment variable: `SYMPHONY_SERVER`."""

    model_config = SettingsConfigDict(
        env_prefix="SYMPHONY_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    data_source: DataSourceName = "grpc"
    """Which adapter answers: `grpc` asks the server, `cached` keeps what it answered, `hybrid`
    reads from a replica, `local` runs a server in this process, `mock` is in memory."""
    server: str = Field(default="localhost:50051", min_length=1)
    """Where the server is: `HOST:PORT`, or another gRPC target."""
    token: str | None = Field(default=None, repr=False)
    """The access token or JWT to call with."""
    tls_ca: Path | None = None
    """PEM file with the certificate authorities; turns TLS on."""
    tls_cert: Path | None = None
    """PEM file with this client's certificate; turns TLS on."""
    tls_key: Path | None = None
    """PEM file with its key."""
    timeout_seconds: float = Field(default=30, gt=0, allow_inf_nan=False)
    """The deadline of every call, its retries included."""
    retry_attempts: int = Field(default=3, ge=1, le=MAX_ATTEMPTS)
    """How often a call is tried in all while nobody answers."""
    prevalidation: Literal["on", "off"] = "on"
    """`off` sends requests without looking at them first."""
    database_url: str = "sqlite:///symphony.db"
    """Of `local`: the database, as the server takes it."""
    local_user: str = Field(default="admin@localhost", min_length=3)
    """Of `local` without a token: the e-mail address of the user to call as. In an empty
    database it becomes the first ADMIN."""
    replica: Path | None = None
    """Of `hybrid`: the file that keeps the replica between starts; in memory by default."""
    cache_ttl_seconds: float = Field(default=30, gt=0, allow_inf_nan=False)
    """Of `cached`: how long an entry is used at most."""
    cache_max_entries: int = Field(default=10_000, ge=1)
    """Of `cached`: how many entries are kept at most."""
    test_mode: TestMode | None = None
    """Of `DataAccess.for_testing()`: `mock` (the default there), `contract` (a scripted server at
    `SYMPHONY_SERVER`: 5 s, no retries) or `integration` (a real one: 10 s, no retries)."""

    @classmethod
    def from_env(cls) -> Self:
        """The settings that the environment has.

        Raises:
            SettingsInvalid: naming each variable with a bad value, and what it takes.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsInvalid(_sentence(error)) from None

    @classmethod
    def for_testing(cls) -> Self:
        """The settings for tests that `SYMPHONY_TEST_MODE` names; the other variables hold too.

        Raises:
            SettingsInvalid: as `from_env` does.
        """
        return cls.from_env().in_test_mode()

    def in_test_mode(self) -> Self:
        """These settings with what the test mode changes."""
        changes: dict[TestMode, dict[str, Any]] = {
            "mock": {"data_source": "mock"},
            "contract": {"data_source": "grpc", "timeout_seconds": 5, "retry_attempts": 1},
            "integration": {"data_source": "grpc", "timeout_seconds": 10, "retry_attempts": 1},
        }
        return self.model_copy(update=changes[self.test_mode or "mock"])

    @field_validator("data_source", "prevalidation", "test_mode", mode="before")
    @classmethod
    def _in_any_case(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("SYMPHONY_TLS_CERT and SYMPHONY_TLS_KEY are given together or not")
        return self

    def channel(self) -> ChannelSettings:
        """What a channel to the server needs of them."""
        return ChannelSettings(
            target=self.server,
            token=self.token,
            tls_ca=self.tls_ca,
            tls_cert=self.tls_cert,
            tls_key=self.tls_key,
            timeout_seconds=self.timeout_seconds,
            retry_attempts=self.retry_attempts,
            prevalidation=self.prevalidation == "on",
        )


def _sentence(error: ValidationError) -> str:
    """What is wrong with each variable; no value is quoted that may be a secret."""
    found = []
    for one in error.errors(include_url=False, include_context=False):
        field = str(one["loc"][0]) if one["loc"] else ""
        said = one["msg"].removeprefix("Value error, ")
        quoted = f", not {one['input']!r}" if field and field != "token" else ""
        found.append(f"SYMPHONY_{field.upper()}: {said}{quoted}" if field else said)
    return "; ".join(found)
