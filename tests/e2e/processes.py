"""The real programs: the server as a process, and the tools that people call it with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BIN = Path(sys.executable).parent
GENERATED = Path(__file__).parents[2] / "generated"
WAIT_SECONDS = 30


def environment(**extra: str) -> dict[str, str]:
    """The test's environment without settings of the service, and with our tools first."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SYMPHONY_")}
    return {**clean, "PATH": f"{BIN}{os.pathsep}{clean.get('PATH', '')}", **extra}


def symphony(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the `symphony` command to its end."""
    return subprocess.run(
        [str(BIN / "symphony"), *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


class Server:
    """`symphony serve` in a directory of its own, on a free port."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self._arguments = arguments or ("--dev",)
        self._log = (directory / "server.log").open("a")
        self.process: subprocess.Popen[str]
        self.port = 0
        self.greeting: list[str] = []

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.directory / "symphony.token").read_text().strip()

    def start(self) -> Self:
        self.process = subprocess.Popen(
            [str(BIN / "symphony"), "serve", "--listen", "127.0.0.1:0", *self._arguments],
            cwd=self.directory,
            env=environment(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        stdout = self.process.stdout
        assert stdout is not None
        first = stdout.readline()
        assert " on 127.0.0.1:" in first, (self.directory / "server.log").read_text()
        self.port = int(first.rpartition(":")[2])
        self.greeting = [first]
        return self

    def read_greeting(self, lines: int) -> list[str]:
        stdout = self.process.stdout
        assert stdout is not None
        self.greeting += [stdout.readline() for _ in range(lines)]
        return self.greeting

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._reap()

    def terminate(self) -> int:
        """End it as an operator would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(WAIT_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()


@dataclass
class Shown:
    """What a tool showed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Tool:
    """grpcurl or `buf curl`, pointed at a server."""

    name: str
    server: Server
    token: str | None = None

    def call(self, method: str, **request: Any) -> Shown:
        """Call an RPC as a person would from a shell."""
        data = json.dumps(request)
        header = f"authorization: Bearer {self.token}"
        credentials = ["-H", header] if self.token is not None else []
        if self.name == "grpcurl":
            command = ["grpcurl", "-plaintext", *credentials, "-d", "@", self.server.target]
            command.append(f"symphony.v1.{method}")
        else:
            command = ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
            command += [*credentials, "-d", "@-"]
            command.append(f"http://{self.server.target}/symphony.v1.{method}")
        return run(command, data, self.server.directory)


def run(command: list[str], text: str, cwd: Path) -> Shown:
    """Run a tool of ours with something on its standard input."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        input=text,
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    return Shown(done.returncode, done.stdout, done.stderr)
