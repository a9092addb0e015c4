"""A server as its operator has it, to which something is going to happen: what the page on
operations is followed with.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from symphony.v1.access_service_pb2 import CreateTokenRequest, CreateTokenResponse
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import CreateUserRequest
from tests.docs.pages import ROOT, Block, Reader
from tests.e2e.processes import BIN, environment
from tests.postgresql import installed
from tests.server.world import Person

PAGE: Final = ROOT / "docs" / "operations.md"
WAIT_SECONDS: Final = 60
ADMIN: Final = "admin@example.com"

SYSTEMCTL: Final = """\
#!/bin/sh
# What `systemctl start symphony` and `systemctl stop symphony` do, without systemd.
set -e
cd "{directory}"
case "$1" in
start)
    : > served
    SYMPHONY_LISTEN="{address}" setsid symphony serve --bootstrap-admin {admin} \\
        --token-file admin.token > served 2>> log < /dev/null &
    echo $! > pid
    until grep -q ' on 127' served; do kill -0 "$(cat pid)"; sleep 0.05; done
    ;;
stop)
    kill "$(cat pid)"
    while [ -d "/proc/$(cat pid)" ] && ! grep -q ') Z ' "/proc/$(cat pid)/stat"; do sleep 0.05; done
    rm pid
    ;;
esac
"""


@dataclass
class Machine:
    """A directory with a server's files, the commands of an operator, and its shell's variables."""

    directory: Path
    database_url: str
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables of the server and of the shell alike."""

    def __post_init__(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{taken.getsockname()[1]}"
        script = self.directory / "bin" / "systemctl"
        script.parent.mkdir()
        script.write_text(
            SYSTEMCTL.format(directory=self.directory, address=self.address, admin=ADMIN)
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    @property
    def variables(self) -> dict[str, str]:
        """What the page says that an operator's shell has."""
        token = self.directory / "admin.token"
        programs = (script := self.directory / "bin", BIN, installed() / "bin")
        assert script.is_dir()
        return environment(
            **self.more,
            SYMPHONY_DATABASE_URL=self.database_url,
            SYMPHONY_SERVER=self.address,
            SYMPHONY_TOKEN=token.read_text().strip() if token.exists() else "",
            SYMPHONY_CONFIG=str(self.directory / "config.toml"),
            PATH=os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            COLUMNS="120",
        )

    def systemctl(self, what: str) -> None:
        """Start or stop the server."""
        variables = {**self.variables, "SYMPHONY_TOKEN": "", "SYMPHONY_CONFIG": ""}
        command = [str(self.directory / "bin" / "systemctl"), what, "symphony"]
        subprocess.run(command, env=variables, check=True, timeout=WAIT_SECONDS)

    @contextmanager
    def admin(self) -> Iterator[Person]:
        """The first ADMIN, who calls the server."""
        with grpc.insecure_channel(self.address) as channel:
            yield Person(channel, (self.directory / "admin.token").read_text().strip())

    def token_of(self, email: str) -> CreateTokenResponse:
        """A token of a new user."""
        with self.admin() as admin:
            request = CreateUserRequest(email=email, name="Dana", roles=[Role.ROLE_DEVELOPER])
            user = admin.get(admin.users.CreateUser, request)
            made: CreateTokenResponse = admin.get(
                admin.access.CreateToken, CreateTokenRequest(user_id=user.id, name="laptop")
            )
        return made

    def follow(self, title: str, hooks: Mapping[str, Callable[[], None]], **more: str) -> None:
        """Do what a section of the page says; what stands above a block in a comment may happen
        before it is done.
        """
        page = self.directory / "section.md"
        page.write_text(section(title))
        with _WithIncidents(self.directory, {**self.variables, **more}) as reader:
            reader.hooks = hooks
            reader.follow(page)


class _WithIncidents(Reader):
    hooks: Mapping[str, Callable[[], None]]

    def _act(self, block: Block) -> None:
        if block.mark in self.hooks:
            self.hooks[block.mark]()
        super()._act(block)


def sections() -> dict[str, str]:
    """The page's sections by their titles; what stands before the first has none."""
    parts = PAGE.read_text().split("\n## ")
    titled = (part.partition("\n") for part in parts[1:])
    return {"": parts[0], **{title: text for title, _, text in titled}}


def section(title: str) -> str:
    """The text of one."""
    return sections()[title].rstrip() + "\n"


@contextmanager
def running(machine: Machine) -> Iterator[Machine]:
    """A machine whose server runs, as long as the block lasts; what is left of it is ended."""
    machine.systemctl("start")
    try:
        yield machine
    finally:
        if (machine.directory / "pid").exists():
            machine.systemctl("stop")
