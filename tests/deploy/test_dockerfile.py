"""The image, as far as it can be known without an engine to build it."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from cryptography import x509

from symphony_server.embedded import EmbeddedServer
from symphony_server.settings import Settings
from tests.deploy.deploy_files import (
    BIN,
    DEPLOY,
    ROOT,
    copied,
    dockerfile,
    health_command,
    image_variables,
    instruction,
    run,
    settings_of,
    stopping_seconds,
)
from tests.server.test_tls import Authority
from tests.server.world import World


def test_hadolint_finds_nothing() -> None:
    done = run(BIN / "hadolint", "--no-color", DEPLOY / "Dockerfile")
    assert (done.stdout, done.returncode) == ("", 0)


def test_both_stages_are_of_one_base_with_a_version() -> None:
    bases = [rest.split()[0] for name, rest in dockerfile() if name == "FROM"]
    assert bases == ["${PYTHON}"] * 2
    assert re.fullmatch(r"PYTHON=docker\.io/library/python:3\.\d+\S*-slim-\w+", instruction("ARG"))


def test_nothing_is_installed_in_the_last_stage() -> None:
    last = max(at for at, (name, _) in enumerate(dockerfile()) if name == "FROM")
    commands = [rest for name, rest in dockerfile()[last:] if name == "RUN"]
    assert len(commands) == 1
    assert commands[0].startswith("useradd")


def test_it_is_not_root_that_runs() -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", instruction("USER"))


def test_data_and_token_are_in_the_volume() -> None:
    volume = instruction("VOLUME")
    settings = settings_of({**image_variables(), "SYMPHONY_INSECURE": "true"})
    assert settings.database_url == f"sqlite:///{volume}/symphony.db"
    assert settings.token_file == Path(volume, "admin.token")
    assert instruction("WORKDIR") == volume


def test_readme_has_it_killed_only_after_it_had_time_to_stop_by_itself() -> None:
    readme = (DEPLOY / "README.md").read_text()
    (given,) = re.findall(r"--stop-timeout (\d+)", readme)
    settings = settings_of({**image_variables(), "SYMPHONY_INSECURE": "true"})
    assert float(given) > stopping_seconds(settings)
    port = instruction("EXPOSE")
    assert settings.listen.endswith(f":{port}")
    assert re.findall(r"--publish (\S+)", readme) == [f"127.0.0.1:{port}:{port}"]


def test_the_context_has_what_is_copied_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied().keys()
    assert any(fnmatch("server/symphony_server/__pycache__", rule) for rule in rules[1:])
    assert all((ROOT / source).exists() for source in copied())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - only asked at
def test_the_health_check_passes_while_the_server_serves_and_then_no_more(
    tmp_path: Path, host: str
) -> None:
    with World(tmp_path) as world:
        listen = f"{host}:{world.server.target.rpartition(':')[2]}"
        during = run(*health_command(), SYMPHONY_LISTEN=listen)
    after = run(*health_command(), SYMPHONY_LISTEN=listen)
    assert (during.stdout, during.returncode) == ("SERVING\n", 0), during.stderr
    assert (after.stdout, after.returncode) == ("UNAVAILABLE\n", 1), after.stderr


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("symphony.example.com"),
        x509.DNSName("*.example.com"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    ],
    ids=["host", "wildcard", "address"],
)
def test_the_health_check_trusts_just_the_servers_certificate(
    tmp_path: Path, name: x509.GeneralName
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", name)
    another, _ = authority.issue("another", name)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/tls.db",
        listen="127.0.0.1:0",
        tls_cert=certificate,
        tls_key=key,
    )
    with EmbeddedServer(settings) as server:
        answers = [
            run(*health_command(), SYMPHONY_LISTEN=server.target, SYMPHONY_TLS_CERT=str(trusted))
            for trusted in (certificate, another)
        ]
    assert [done.stdout for done in answers] == ["SERVING\n", "UNAVAILABLE\n"]
