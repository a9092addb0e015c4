"""The README's commands, run as they are written but for the address."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Server, environment

README = (Path(__file__).parents[2] / "README.md").read_text()
ADDRESS = "127.0.0.1:50051"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("readme")) as started:
        yield started


def block(language: str, holding: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.S)
    (text,) = (text for text in found if holding in text)
    assert isinstance(text, str)
    return text


def shown(command: list[str], server: Server) -> str:
    done = subprocess.run(
        command,
        cwd=server.directory,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_call_by_grpcurl_works(server: Server) -> None:
    text = block("sh", "grpcurl").replace(ADDRESS, server.target)
    made = json.loads(shown(["sh", "-c", text], server))
    assert made["name"] == "First steps"


def test_the_first_call_in_python_works(server: Server) -> None:
    text = block("python", "symphony_client").replace(ADDRESS, server.target)
    assert re.fullmatch(r"workflow_\w{26} 30\n", shown([sys.executable, "-c", text], server))


def test_the_commands_named_are_targets_of_make() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.M), target
