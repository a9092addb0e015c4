"""What the page on operations says to do is done, each time on a server to which that happened."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from symphony.v1.access_service_pb2 import RevokeTokenRequest, WhoAmIRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.user_pb2 import UserState
from symphony.v1.user_service_pb2 import GetUserRequest, ListUsersRequest
from symphony_server.store.database import parse_url
from symphony_server.store.postgresql import SCHEMA_LOCK
from tests.docs.operations import Machine, running, sections
from tests.postgresql import Postgresql
from tests.postgresql_pair import running_pair
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.world import Person

pytestmark = pytest.mark.timeout(300)
BEFORE: Final = ""
"""The page's beginning, which is done before anything happens."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A server on SQLite that was backed up, and whose head was kept."""
    with running(Machine(tmp_path, "sqlite:///symphony.db")) as made:
        yield made


def is_refused(machine: Machine, secret: str) -> str:
    with machine.admin() as admin:
        somebody = Person(admin.channel, secret)
        return somebody.refused(somebody.access.WhoAmI, WhoAmIRequest()).reason


def execute(machine: Machine, statement: str) -> None:
    """Change the database behind the server's back."""
    url = machine.database_url.replace("sqlite:///", f"sqlite:////{machine.directory}/", 1)
    with closing(parse_url(url).open(read_only=False)) as session:
        assert session.execute(statement).rowcount > 0


def a_token_has_leaked(machine: Machine) -> None:
    leaked = machine.token_of("dana@example.com")
    machine.follow("A token has leaked", {}, LEAKED=leaked.secret)
    assert is_refused(machine, leaked.secret) == "CREDENTIALS_INVALID"
    replacement = (machine.directory / "replacement.token").read_text().strip()
    assert is_refused(machine, replacement) == "USER_SUSPENDED"
    with machine.admin() as admin:
        user = admin.get(admin.users.GetUser, GetUserRequest(id=leaked.token.user_id))
    assert user.state == UserState.USER_STATE_SUSPENDED


def nobody_has_an_admins_token(machine: Machine) -> None:
    (machine.directory / "admin.token").unlink()
    machine.follow("Nobody has an ADMIN's token any more", {})
    recovery = machine.directory / "recovery.token"
    assert recovery.stat().st_mode & 0o077 == 0
    recovery.rename(machine.directory / "admin.token")
    assert machine.token_of("dana@example.com").secret


def the_audit_log_was_tampered_with(machine: Machine) -> None:
    machine.follow(BEFORE, {})
    with machine.admin() as admin:
        admin.get(admin.projects.CreateProject, CreateProjectRequest(name="Since the backup"))
    execute(machine, "UPDATE audit_log SET method = 'symphony.v1.X/Y' WHERE sequence = 3")
    machine.follow("The audit log was tampered with", {})
    assert (machine.directory / "evidence.backup").exists()
    assert machine.token_of("dana@example.com").secret


def a_signing_key_is_lost(machine: Machine) -> None:
    machine.follow(BEFORE, {})
    execute(machine, "DELETE FROM server_keys WHERE name = 'audit_ed25519'")
    machine.systemctl("stop")
    machine.systemctl("start")  # and makes another
    machine.follow("A signing key is lost", {})
    assert machine.token_of("dana@example.com").secret


def a_backup_has_to_be_put_back(machine: Machine) -> None:
    token = machine.token_of("dana@example.com")
    machine.follow(BEFORE, {})
    with machine.admin() as admin:
        admin.get(admin.access.RevokeToken, RevokeTokenRequest(id=token.token.id))
        admin.get(admin.projects.CreateProject, CreateProjectRequest(name="Since the backup"))
    machine.follow("A backup has to be put back", {}, REVOKED_SINCE=token.token.id)
    assert is_refused(machine, token.secret) == "CREDENTIALS_INVALID"
    with machine.admin() as admin:  # whose name is free again
        admin.get(admin.projects.CreateProject, CreateProjectRequest(name="Since the backup"))


ON_SQLITE: Final[dict[str, Callable[[Machine], None]]] = {
    "A token has leaked": a_token_has_leaked,
    "Nobody has an ADMIN's token any more": nobody_has_an_admins_token,
    "The audit log was tampered with": the_audit_log_was_tampered_with,
    "A signing key is lost": a_signing_key_is_lost,
    "A backup has to be put back": a_backup_has_to_be_put_back,
}
OTHERWISE: Final = {
    "The disk is full": "test_a_full_disk",
    "The primary is lost": "test_a_lost_primary",
    "A migration does not end": "test_a_migration_that_does_not_end",
    "A clock is wrong": "test_a_wrong_clock",
}
"""Section → its own test, below."""


def test_every_section_was_drilled() -> None:
    assert set(sections()) == {BEFORE, *ON_SQLITE, *OTHERWISE}
    assert all(callable(globals()[name]) for name in OTHERWISE.values())


@pytest.mark.parametrize("title", ON_SQLITE)
def test_an_incident_ends_as_the_page_says(machine: Machine, title: str) -> None:
    ON_SQLITE[title](machine)


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(directory)]
    may = sys.platform == "linux" and os.geteuid() == 0
    if not may or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system can be mounted by root on Linux only")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)  # noqa: S607


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as directory:
        machine = Machine(tmp_path, f"sqlite:///{directory / 'symphony.db'}")

        def fill() -> None:
            with (directory / "filler").open("wb", buffering=0) as filler:
                try:
                    while filler.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            with machine.admin() as admin:
                while True:
                    name = f"p{time.monotonic_ns()}"
                    try:
                        admin.get(admin.projects.CreateProject, CreateProjectRequest(name=name))
                    except Exception:
                        request = CreateProjectRequest(name="No room")
                        refusal = admin.refused(admin.projects.CreateProject, request)
                        assert refusal.reason == "STORE_UNAVAILABLE"
                        return

        with running(machine):
            machine.follow("The disk is full", {"the disk fills up": fill}, DATA=str(directory))
            assert machine.token_of("dana@example.com").secret
            assert "database or disk is full" in (tmp_path / "log").read_text()


def test_a_lost_primary(tmp_path: Path) -> None:
    with running_pair() as pair:
        pair.primary.execute("CREATE DATABASE symphony TEMPLATE template0 ENCODING 'UTF8'")
        with running(Machine(tmp_path, pair.url("symphony"))) as machine:
            machine.token_of("dana@example.com")
            pair.lose_the_primary()
            machine.follow("The primary is lost", {}, STANDBY=pair.standby.url())
            with machine.admin() as admin:
                assert len(admin.get(admin.users.ListUsers, ListUsersRequest()).users) == 2
            pair.primary, pair.standby = pair.standby, pair.primary


def test_a_migration_that_does_not_end(postgresql: Postgresql, tmp_path: Path) -> None:
    url = postgresql.empty_database()
    machine = Machine(tmp_path, url)
    with psycopg.connect(url) as stopped:
        stopped.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})".encode())
        machine.follow("A migration does not end", {})
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("SELECT 1")


def test_a_wrong_clock(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "keys.json")
    more = {
        "SYMPHONY_JWT_ISSUER": ISSUER,
        "SYMPHONY_JWT_AUDIENCE": AUDIENCE,
        "SYMPHONY_JWT_KEYS": str(provider.path),
    }
    with running(Machine(tmp_path, "sqlite:///symphony.db", more)) as machine:
        user = machine.token_of("dana@example.com").token.user_id
        ahead = int(time.time()) + 360
        (tmp_path / "jwt.txt").write_text(provider.token(sub=user, nbf=ahead, exp=ahead + 600))
        machine.follow("A clock is wrong", {})
