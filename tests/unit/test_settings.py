from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from symphony_server.settings import Settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SYMPHONY_{name.upper()}", raising=False)


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = Settings()
    assert settings.database_url == "sqlite:///symphony.db"
    assert settings.listen == "127.0.0.1:50051"
    assert (settings.bootstrap_admin, settings.token_file, settings.dev) == (None, None, False)


@pytest.mark.parametrize("said", ["1", "true", "True", "yes", "on"])
def test_dev_in_the_environment_implies_an_admin_and_a_token_file(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("SYMPHONY_DEV", said)
    settings = Settings()
    assert settings.dev
    assert settings.bootstrap_admin == "admin@localhost"
    assert settings.token_file == Path("symphony.token")


def test_what_is_said_goes_before_what_dev_implies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_BOOTSTRAP_ADMIN", "me@example.com")
    settings = Settings(dev=True)
    assert settings.bootstrap_admin == "me@example.com"
    assert settings.token_file == Path("symphony.token")


def test_no_dev_implies_nothing_and_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DEV", "0")
    assert Settings().bootstrap_admin is None
    monkeypatch.setenv("SYMPHONY_DEV", "perhaps")
    with pytest.raises(ValidationError, match="dev"):
        Settings()


def test_a_tiers_limit_is_set_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_TIERS", '{"free": {"max_workflows": 20}}')
    tiers = Settings().tiers
    assert (tiers.free.max_workflows, tiers.free.max_workflow_steps) == (20, 10)
    assert tiers.pro == Settings.model_fields["tiers"].default.pro


def test_metrics_are_served_nowhere_unless_it_is_said_and_a_worker_adds_its_number() -> None:
    assert Settings().metrics_address is None
    assert Settings(metrics="0.0.0.0:9464").metrics_address == "0.0.0.0:9464"
    assert Settings(metrics="[::1]:9464", worker=2).metrics_address == "[::1]:9466"
    assert Settings(metrics="127.0.0.1:0", worker=2).metrics_address == "127.0.0.1:0"


@pytest.mark.parametrize("said", ["9464", ":9464", "127.0.0.1:", "127.0.0.1:65536"])
def test_an_address_of_metrics_is_a_host_and_a_port(said: str) -> None:
    with pytest.raises(ValidationError, match=r"must be HOST:PORT"):
        Settings(metrics=said)
