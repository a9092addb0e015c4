"""The page about the command: its blocks run as they are written, one after another."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from symphony_command.exit_codes import MEANINGS
from symphony_command.flow_file import read_flow
from symphony_command.flow_shape import shape
from symphony_command.output import console
from tests.e2e.processes import Server, environment

GUIDE = (Path(__file__).parents[2] / "docs" / "command.md").read_text()
ADDRESS = "127.0.0.1:50051"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)


def the_flow(directory: Path) -> Path:
    """Write the guide's workflow, and return where."""
    (text,) = blocks("yaml")
    file = directory / "flow.yaml"
    file.write_text(text)
    return file


@pytest.mark.timeout(300)
def test_every_block_of_commands_works_in_its_order(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        the_flow(tmp_path)
        for block in blocks("sh"):
            done = subprocess.run(
                ["sh", "-e", "-c", block.replace(ADDRESS, server.target)],  # noqa: S607
                cwd=tmp_path,
                env=environment(SYMPHONY_CONFIG=str(tmp_path / "config.toml")),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


def test_the_shape_shown_is_the_one_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console().print(shape(read_flow(the_flow(tmp_path)).request.spec))
    (text,) = blocks("text")
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown == text.splitlines()


def test_the_table_of_exit_codes_is_the_commands() -> None:
    told = re.findall(r"^\| (\d+) \| (.+) \|$", GUIDE, re.M)
    assert told == [(str(code.value), meaning) for code, meaning in MEANINGS.items()]
