"""The client's settings: what the environment may say, and what is said of what it may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symphony_client import DataAccess
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.adapters.local import LocalDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.settings import ClientSettings, SettingsInvalid

GUIDE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ClientSettings.model_fields:
        monkeypatch.delenv(f"SYMPHONY_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", GrpcDataSource),
        ("grpc", GrpcDataSource),
        ("Local", LocalDataSource),
        ("mock", MockDataSource),
        ("hybrid", HybridDataSource),
        (" cached ", CachedDataSource),
    ],
)
def test_the_environment_names_the_adapter(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: type
) -> None:
    monkeypatch.setenv("SYMPHONY_DATA_SOURCE", name)
    assert type(DataAccess.from_env().source) is kind


def test_the_defaults_are_those_of_the_design() -> None:
    settings = ClientSettings.from_env()
    assert (settings.data_source, settings.server) == ("grpc", "localhost:50051")
    assert (settings.timeout_seconds, settings.retry_attempts) == (30, 3)
    assert settings.prevalidation == "on"


def test_what_a_channel_needs_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_SERVER", "example.com:443")
    monkeypatch.setenv("SYMPHONY_TOKEN", "sym_secret")
    monkeypatch.setenv("SYMPHONY_TIMEOUT_SECONDS", "2.5")
    monkeypatch.setenv("SYMPHONY_PREVALIDATION", "OFF")
    settings = ClientSettings.from_env()
    channel = settings.channel()
    assert (channel.target, channel.token) == ("example.com:443", "sym_secret")
    assert (channel.timeout_seconds, channel.prevalidation) == (2.5, False)
    assert "sym_secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("SYMPHONY_DATA_SOURCE", "postgres", "'grpc', 'local', 'mock', 'hybrid' or 'cached'"),
        ("SYMPHONY_TIMEOUT_SECONDS", "-1", "greater than 0"),
        ("SYMPHONY_TIMEOUT_SECONDS", "soon", "number"),
        ("SYMPHONY_RETRY_ATTEMPTS", "9", "less than or equal to 5"),
        ("SYMPHONY_PREVALIDATION", "perhaps", "'on' or 'off'"),
        ("SYMPHONY_TEST_MODE", "wiremock", "'mock', 'contract' or 'integration'"),
        ("SYMPHONY_TLS_CERT", "cert.pem", "SYMPHONY_TLS_KEY"),
    ],
)
def test_a_bad_value_names_the_variable_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, takes: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsInvalid) as caught:
        DataAccess.from_env()
    assert variable in str(caught.value)
    assert takes in str(caught.value)


def test_all_bad_values_are_told_together_and_no_secret_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_TOKEN", "sym_secret")
    monkeypatch.setenv("SYMPHONY_TIMEOUT_SECONDS", "0")
    monkeypatch.setenv("SYMPHONY_CACHE_MAX_ENTRIES", "none")
    with pytest.raises(SettingsInvalid) as caught:
        ClientSettings.from_env()
    said = str(caught.value)
    assert "SYMPHONY_TIMEOUT_SECONDS" in said
    assert "SYMPHONY_CACHE_MAX_ENTRIES" in said
    assert "sym_secret" not in said


def test_a_test_mode_changes_what_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_SERVER", "127.0.0.1:8080")
    modes = {None: "mock", "mock": "mock", "contract": "grpc", "integration": "grpc"}
    for mode, source in modes.items():
        if mode is not None:
            monkeypatch.setenv("SYMPHONY_TEST_MODE", mode)
        settings = ClientSettings.for_testing()
        assert settings.data_source == source
        assert settings.server == "127.0.0.1:8080"
        if source == "grpc":
            assert settings.retry_attempts == 1
            assert settings.timeout_seconds == {"contract": 5, "integration": 10}[str(mode)]
    assert isinstance(DataAccess.for_testing().source, GrpcDataSource)


def test_the_guide_lists_every_setting_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(SYMPHONY_\w+)` \| (.*?) \|", GUIDE, re.M))
    real = {}
    for name, field in ClientSettings.model_fields.items():
        default = field.default
        real[f"SYMPHONY_{name.upper()}"] = "" if default is None else f"`{default}`"
    assert listed == real
