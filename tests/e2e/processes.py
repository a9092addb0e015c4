"""The real programs: the server as a process, and the tools that people call it with."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2

BIN = Path(sys.executable).parent
GENERATED = Path(__file__).parents[2] / "generated"
WAIT_SECONDS = 30

M = TypeVar("M", bound=Message)


def environment(**extra: str) -> dict[str, str]:
    """The test's environment without settings of the service, and with our tools first."""
    return {**bare_environment(), "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", **extra}


def bare_environment() -> dict[str, str]:
    """The environment of a shell that has not heard of the virtual environment."""
    path = [p for p in os.environ.get("PATH", "").split(os.pathsep) if not Path(p, "buf").exists()]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SYMPHONY_")}
    return {**clean, "PATH": os.pathsep.join(path)}


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

    def __init__(self, directory: Path, *arguments: str, variables: dict[str, str] | None = None):
        """Take what is said on the command line (`--dev` if nothing is) or in the environment."""
        self.directory = directory
        if variables is None:
            self._arguments = ["--listen", "127.0.0.1:0", *(arguments or ("--dev",))]
            self._environment = environment()
        else:
            self._arguments = list(arguments)
            self._environment = {**bare_environment(), **variables}
        self._log = (directory / "server.log").open("a")
        self.process: subprocess.Popen[str]
        self.port = 0
        self.greeting = ""

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.directory / "symphony.token").read_text().strip()

    @property
    def log(self) -> str:
        return (self.directory / "server.log").read_text()

    @property
    def metrics_address(self) -> str:
        """Where it says that its metrics are."""
        (address,) = re.findall(r"metrics are served on http://(\S+)/metrics", self.log)
        return str(address)

    def start(self) -> Self:
        """Start it and wait until it says where it serves."""
        self.process = subprocess.Popen(
            [str(BIN / "symphony"), "serve", *self._arguments],
            cwd=self.directory,
            env={**self._environment, "PYTHONUNBUFFERED": "1"},
            umask=0,  # so that a file's mode is what the server made it
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.greeting = self.next_line()
        if " on 127.0.0.1:" not in self.greeting:
            self.__exit__(None, None, None)
            raise AssertionError(f"the server did not start: {self.log}")
        self.port = int(self.greeting.rpartition(":")[2])
        return self

    def next_line(self) -> str:
        """The next line of its standard output, or nothing at the end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._reap()

    def terminate(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator would; returns the exit code."""
        self.process.send_signal(how)
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
        self.process.kill()  # does nothing to one that has ended
        self._reap()
        self._log.close()


@dataclass
class Failure:
    """An error as a tool showed it, its details decoded."""

    code: str
    message: str
    details: dict[str, Any]
    """The detail's type, for example `ErrorInfo`, and its JSON."""

    @property
    def reason(self) -> str:
        return str(self.details["ErrorInfo"]["reason"])

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self.details["ErrorInfo"]["metadata"])

    @property
    def fields(self) -> dict[str, str]:
        """Field → what is wrong with it."""
        found = self.details.get("BadRequest", {}).get("field_violations", ())
        return {violation["field"]: violation["description"] for violation in found}


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

    def read(self, kind: type[M]) -> M:
        """The answer as a message."""
        assert self.code == 0, self.err
        return json_format.Parse(self.out, kind())

    @property
    def failure(self) -> Failure:
        """The error that was shown instead of an answer."""
        assert self.code != 0, self.out
        return _of_grpcurl(self.err) if self.err.startswith("ERROR:") else _of_buf(self.err)


def _of_grpcurl(text: str) -> Failure:
    """grpcurl decodes the details itself, with what reflection tells it."""
    said = dict(re.findall(r"^  (Code|Message): (.*)$", text, re.M))
    details = {}
    for line in re.findall(r"^  \d+\)\t(\{.*\})$", text, re.M):
        detail = json.loads(line)
        details[detail.pop("@type").rpartition(".")[2]] = detail
    code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", said["Code"]).upper()
    return Failure(code, said["Message"], details)


def _of_buf(text: str) -> Failure:
    """`buf curl` shows the details' bytes in base64."""
    said = json.loads(text)
    details = {}
    for detail in said.get("details", ()):
        kind = detail["type"].rpartition(".")[2]
        value = base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4))
        message = getattr(error_details_pb2, kind).FromString(value)
        details[kind] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return Failure(said["code"].upper(), said["message"], details)


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
        return self.run(*command, text=data)

    def run(self, *command: str, text: str = "") -> Shown:
        """Run a tool of ours with something on its standard input."""
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            input=text,
            cwd=self.server.directory,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
        return Shown(done.returncode, done.stdout, done.stderr)
