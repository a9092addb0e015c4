"""What is said in `deploy/` of settings, commands and the database is what they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import click
import psycopg
import pytest
import typer.main

from symphony_client.settings import ClientSettings
from symphony_command.main import app
from symphony_server.settings import Settings
from symphony_server.store.postgresql import PostgresqlAddress
from tests.deploy.deploy_files import DEPLOY, ROOT, load, texts
from tests.postgresql import Postgresql

VARIABLES: Final = {
    f"SYMPHONY_{name.upper()}" for name in (*Settings.model_fields, *ClientSettings.model_fields)
}


def test_every_variable_is_a_setting() -> None:
    for file in texts():
        named = set(re.findall(r"SYMPHONY_[A-Z][A-Z_]+", file.read_text()))
        assert named <= VARIABLES, file


def test_every_command_and_option_is_there() -> None:
    said = re.compile(r"\bsymphony((?: [a-z][a-z-]*)+)((?: --[a-z-]+(?: [\w.@]+)?)*)")
    commands = {
        (words.strip(), options)
        for file in texts()
        for words, options in said.findall(file.read_text())
        if words.split()[0] in {"serve", "migrate", "token", "audit", "info", "whoami"}
    }
    assert len(commands) >= 5
    for words, options in commands:
        known = options_of(words.split())
        assert set(re.findall(r"--[a-z-]+", options)) <= known, words
    named_alone = set(re.findall(r"`(--[a-z-]+)", readme()))
    assert named_alone
    assert named_alone <= options_of(["serve"])


def options_of(words: list[str]) -> set[str]:
    """The options of a command. Fails for one that there is not."""
    command: Any = typer.main.get_command(app)
    context = click.Context(command)
    for word in words:
        command = command.get_command(context, word)
        assert command is not None, words
        if not hasattr(command, "get_command"):
            break  # an argument, or what the sentence goes on with
    return {option for parameter in command.params for option in parameter.opts}


def test_every_file_that_is_pointed_at_is_there() -> None:
    text = readme()
    links = [link for link in re.findall(r"\]\((.*?)\)", text) if "://" not in link]
    paths = re.findall(r"\bdeploy/[\w./-]*\w", text)
    assert links
    assert paths
    assert all((DEPLOY / link).exists() for link in links)
    assert all((ROOT / path).exists() for path in paths)


def test_each_way_takes_ten_lines_at_most() -> None:
    ways = re.findall(r"```sh\n(.*?)```", readme(), flags=re.DOTALL)
    assert len(ways) == 4
    assert max(len(way.splitlines()) for way in ways) <= 10


@pytest.mark.parametrize("way", ["compose", "kubernetes"])
def test_the_password_is_taken_from_the_service_file(
    way: str, postgresql: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (document,) = load("compose.yaml" if way == "compose" else "kubernetes/configmap.yaml")
    found = document["services"]["server"]["environment"] if way == "compose" else document["data"]
    parameters = found["SYMPHONY_DATABASE_URL"].partition("?")[2].split("&")
    line = re.findall(r"printf '(.*?)' \"\$(?:PASSWORD|password)\"", readme())[-1]
    service_file = tmp_path / "pg-service"
    service_file.write_text(line.replace("\\n", "\n").replace("%s", "a-password"))
    monkeypatch.setenv("PGSERVICEFILE", str(service_file))
    (service,) = (parameter for parameter in parameters if parameter.startswith("service="))
    with psycopg.connect(PostgresqlAddress.of(f"{postgresql.url()}&{service}").dsn) as connection:
        assert connection.info.password == "a-password"


def readme() -> str:
    return (DEPLOY / "README.md").read_text()
