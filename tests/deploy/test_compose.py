"""The compose files, by the specification's schema and by what they say together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.deploy_files import (
    BIN,
    DEPLOY,
    dockerfile,
    image_variables,
    instruction,
    load,
    run,
    seconds,
    settings_of,
    stopping_seconds,
)

FILES = ("compose.yaml", "compose.tls.yaml")


def services() -> dict[str, Any]:
    (compose,) = load("compose.yaml")
    found: dict[str, Any] = compose["services"]
    return found


@pytest.mark.parametrize("file", FILES)
def test_it_is_a_compose_file(file: str) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    done = run(BIN / "check-jsonschema", *schema, DEPLOY / file)
    assert done.returncode == 0, done.stdout


def test_every_secret_and_volume_is_declared_and_used() -> None:
    for file in FILES:
        (compose,) = load(file)
        users = compose["services"].values()
        used = {secret for service in users for secret in service.get("secrets", ())}
        assert used == set(compose["secrets"])
        mounts = {v.partition(":")[0] for service in users for v in service.get("volumes", ())}
        assert mounts == set(compose.get("volumes", ()))


def test_the_server_waits_for_a_database_that_is_healthy() -> None:
    depends = services()["server"]["depends_on"]
    assert depends == {"postgres": {"condition": "service_healthy"}}
    assert "healthcheck" in services()["postgres"]
    assert any(name == "HEALTHCHECK" for name, _ in dockerfile())


def test_the_database_that_is_made_is_the_one_that_is_used() -> None:
    url = settings_of(variables()).database_url
    made = services()["postgres"]["environment"]
    assert url.startswith(f"postgresql://{made['POSTGRES_USER']}@postgres/{made['POSTGRES_DB']}?")


def test_secrets_are_read_from_files_that_are_mounted() -> None:
    for service in services().values():
        mounted = {f"/run/secrets/{name}" for name in service["secrets"]}
        assert {v for v in service["environment"].values() if v.startswith("/run/")} == mounted
        assert not any(name.endswith("PASSWORD") for name in service["environment"])


def test_without_tls_it_is_published_on_loopback_only() -> None:
    settings = settings_of(variables())
    assert settings.insecure
    port = settings.listen.rpartition(":")[2]
    assert services()["server"]["ports"] == [f"${{PUBLISH:-127.0.0.1:50051}}:{port}"]
    assert instruction("EXPOSE") == port


def test_the_second_file_turns_tls_on() -> None:
    (compose,) = load("compose.tls.yaml")
    server = compose["services"]["server"]
    settings = settings_of({**variables(), **server["environment"]})
    assert not settings.insecure
    files = [Path("/run/secrets", name) for name in server["secrets"]]
    assert [settings.tls_cert, settings.tls_key] == files


def test_it_is_stopped_only_after_it_had_time_to_stop_by_itself() -> None:
    grace = seconds(services()["server"]["stop_grace_period"])
    assert grace > stopping_seconds(settings_of(variables()))


def test_the_servers_root_is_read_only_but_for_the_images_volume_and_tmp() -> None:
    server = services()["server"]
    assert server["read_only"]
    assert server["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's
    assert [mount.partition(":")[2] for mount in server["volumes"]] == [instruction("VOLUME")]


def variables() -> dict[str, str]:
    given: dict[str, str] = services()["server"]["environment"]
    return {**image_variables(), **given}
