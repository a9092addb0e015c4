"""A terminal at which somebody types `symphony`: in this process, or as a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from typer.testing import CliRunner

from symphony_command.main import app
from tests.e2e.processes import BIN, WAIT_SECONDS, bare_environment
from tests.server.world import Person

COLUMNS = 80


@dataclass
class Shown:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON that a command that went well printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON of each line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def text(self) -> str:
        """What a command that went well printed, white space made one."""
        assert self.code == 0, self.err
        return " ".join(self.out.split())


def contract_json(message: Message) -> Any:
    """The contract's JSON of what a stub returned."""
    return json_format.MessageToDict(message)


@dataclass
class Terminal:
    """Where commands are typed, and what the shell there has set."""

    directory: Path
    server: str = ""
    token: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def of(self, person: Person) -> Terminal:
        """The same terminal in another's hands."""
        return Terminal(self.directory, self.server, person.secret or "", self.variables)

    def run(self, *arguments: str, stdin: str = "") -> Shown:
        """Run the command in this process, where a process of its own adds nothing."""
        hidden = {key: None for key in os.environ if key.startswith("SYMPHONY_")}
        with contextlib.chdir(self.directory):
            result = CliRunner().invoke(
                app,
                arguments,
                prog_name="symphony",
                input=stdin,
                env={**hidden, **self._variables(), "COLUMNS": str(COLUMNS)},
                catch_exceptions=False,
            )
        return Shown(result.exit_code, result.stdout, result.stderr)

    def process(self, *arguments: str, **variables: str) -> Shown:
        """Run the installed command, its output in pipes."""
        done = subprocess.run(
            [str(BIN / "symphony"), *arguments],
            cwd=self.directory,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
        return Shown(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The installed command while it runs, its output in pipes."""
        with subprocess.Popen(
            [str(BIN / "symphony"), *arguments],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def screen(self, *arguments: str, **variables: str) -> str:
        """What the command shows on a terminal of 80 columns, escape codes and all."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        with subprocess.Popen(
            [str(BIN / "symphony"), *arguments],
            cwd=self.directory,
            env=self.environment(TERM="xterm-256color", **variables),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            shown = b"".join(_chunks(ours))
            process.wait(WAIT_SECONDS)
        os.close(ours)
        return shown.decode().replace("\r\n", "\n")

    def environment(self, **variables: str) -> Mapping[str, str]:
        """What a process sees."""
        return {**bare_environment(), **self._variables(), **variables}

    def _variables(self) -> dict[str, str]:
        variables = {"SYMPHONY_CONFIG": str(self.directory / "config.toml"), **self.variables}
        if self.server:
            variables["SYMPHONY_SERVER"] = self.server
        if self.token:
            variables["SYMPHONY_TOKEN"] = self.token
        return variables


def _chunks(descriptor: int) -> Iterator[bytes]:
    # A terminal that nobody writes to any more ends in an error on Linux.
    with contextlib.suppress(OSError):
        while chunk := os.read(descriptor, 65536):
            yield chunk
