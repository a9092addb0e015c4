"""`symphony backup` and `symphony restore`: what is there again, and what is refused."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final

import grpc
import pytest
from typer.testing import CliRunner, Result

from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_server.cli import app
from symphony_server.store import sqlite_backup
from symphony_server.store.database import parse_url
from symphony_server.store.new_history import REVISIONS_SKIPPED
from tests import engines
from tests.engines import MIGRATIONS, SQLITE
from tests.postgresql import Postgresql, installed
from tests.server.follower import begun, until, watching
from tests.server.test_copy_command import audit, everything, is_empty, make_some_of_everything
from tests.server.world import Person, World, read_refusal

ENGINES = engines.ALL
WRITES_MEANWHILE: Final = 20


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs, of the version of the tests' server."""
    monkeypatch.setenv("SYMPHONY_PG_BIN", str(installed() / "bin"))


@pytest.fixture
def fresh(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes URLs of databases in which there is nothing, not even a table."""
    numbers = count()

    def make() -> str:
        if engine == SQLITE:
            return f"sqlite:///{tmp_path / 'fresh' / f'{next(numbers)}.db'}"
        server: Postgresql = request.getfixturevalue("postgresql")
        return server.empty_database()

    return make


def symphony(command: str, file: Path, url: str, *options: str) -> Result:
    return CliRunner().invoke(app, [command, str(file), "--database", url, *options])


def backup(url: str, file: Path, *options: str) -> Result:
    return symphony("backup", file, url, *options)


def restore(file: Path, url: str, *options: str) -> Result:
    return symphony("restore", file, url, *options)


def last_revision(world: World) -> int:
    with watching(world.admin) as call:
        return begun(call)


def refused_watch(world: World, start: int) -> str:
    with watching(world.admin, start) as call:
        try:
            next(call)
        except grpc.RpcError as error:
            return read_refusal(error).reason
    return ""


def test_a_backup_taken_while_a_server_writes_has_all_that_was_acknowledged_before(
    tmp_path: Path, database_url: str, fresh: Callable[[], str]
) -> None:
    file = tmp_path / "backup"
    with World(tmp_path, database_url, rate_limits=False) as world:
        owner = make_some_of_everything(world)
        project = world.project(owner)
        acknowledged: list[str] = []
        enough, done = threading.Event(), threading.Event()

        def write() -> None:
            while not done.is_set():
                acknowledged.append(world.workflow(owner, project).id)
                if len(acknowledged) == WRITES_MEANWHILE:
                    enough.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert enough.wait(20)
            head = tmp_path / "head.json"
            head.write_text(audit("head", database_url).stdout)
            before = list(acknowledged)
            made = backup(database_url, file)
        finally:
            done.set()
            writer.join()
    assert made.exit_code == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    url = fresh()
    restored = restore(file, url)
    assert restored.exit_code == 0, restored.stderr
    assert "every record is as it was written" in restored.stdout
    said = [line for line in made.stdout.splitlines() if line.startswith("audit records: ")]
    assert said[0] in restored.stdout
    with World(tmp_path, url) as world:  # with the ADMIN's token as it was
        mover = Person(world.admin.channel, owner.secret, owner.user)
        for workflow_id in before:
            mover.get(mover.workflows.GetWorkflow, GetWorkflowRequest(id=workflow_id))
        world.workflow(mover, project)
        verified = audit("verify", url, "--head", str(head))
        assert verified.exit_code == 0, verified.stderr
    assert sorted(one.name for one in tmp_path.glob("backup*")) == ["backup"]


def test_a_restore_with_the_same_history_has_every_row(
    tmp_path: Path, database_url: str, fresh: Callable[[], str]
) -> None:
    with World(tmp_path, database_url) as world:
        make_some_of_everything(world)
        start = last_revision(world)
        world.user()
    rows = everything(database_url)
    assert backup(database_url, tmp_path / "backup").exit_code == 0
    url = fresh()
    assert restore(tmp_path / "backup", url, "--same-history").exit_code == 0
    assert everything(url) == rows
    with World(tmp_path, url) as world, watching(world.admin, start) as call:
        assert [change.revision for change in until(call, start + 1)] == [start + 1]


def test_who_watched_a_history_that_is_gone_starts_afresh(
    tmp_path: Path, database_url: str
) -> None:
    with World(tmp_path, database_url) as world:
        at_backup = last_revision(world)
        assert backup(database_url, tmp_path / "backup").exit_code == 0
        world.user()
        seen = last_revision(world)
    assert restore(tmp_path / "backup", database_url, "--force").exit_code == 0
    with World(tmp_path, database_url) as world:
        # More writes than were lost: without new revisions, `seen` would be another's.
        for _ in range(seen - at_backup + 1):
            world.user()
        for start in (1, at_backup, seen, seen + 1):
            assert refused_watch(world, start) == "REVISION_COMPACTED"
        start = at_backup + REVISIONS_SKIPPED
        with watching(world.admin, start) as call:
            assert next(change.revision for change in until(call, start + 1)) == start + 1


def test_nothing_is_overwritten_without_force(
    tmp_path: Path, database_url: str, fresh: Callable[[], str]
) -> None:
    file = tmp_path / "backup"
    with World(tmp_path, database_url):
        pass
    assert backup(database_url, file).exit_code == 0
    old = file.read_bytes()
    refused = backup(database_url, file)
    assert refused.exit_code == 1
    assert "--force overwrites it" in refused.stderr
    assert file.read_bytes() == old
    with World(tmp_path, database_url) as world:
        world.user()
    before = everything(database_url)
    refused = restore(file, database_url)
    assert refused.exit_code == 1
    assert "is not empty; --force gives up what is in it" in refused.stderr
    assert everything(database_url) == before
    assert backup(database_url, file, "--force", "--no-progress").stderr == ""
    url = fresh()
    assert restore(file, url, "--same-history", "--no-progress").stderr == ""
    assert everything(url) == before


def test_a_database_that_a_server_has_open_is_not_replaced(
    tmp_path: Path, database_url: str
) -> None:
    with World(tmp_path, database_url) as world:
        assert backup(database_url, tmp_path / "backup").exit_code == 0
        user = world.user()
        refused = restore(tmp_path / "backup", database_url, "--force")
        assert refused.exit_code == 1
        assert "stop the server" in refused.stderr
        assert user.id in [row[0] for row in everything(database_url)["users"]]
        world.user()  # it serves on


def test_a_backup_that_is_damaged_is_not_restored(
    tmp_path: Path, database_url: str, fresh: Callable[[], str], engine: str
) -> None:
    file = tmp_path / "backup"
    with World(tmp_path, database_url) as world:
        make_some_of_everything(world)
    assert backup(database_url, file).exit_code == 0
    whole = file.read_bytes()
    url = fresh()
    file.write_bytes(whole[: len(whole) // 2])
    refused = restore(file, url)
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    file.write_text("Dear diary")
    assert "is no backup of a" in restore(file, url).stderr
    file.unlink()
    assert "No such file" in restore(file, url).stderr
    if engine == SQLITE:
        assert not list((tmp_path / "fresh").iterdir())
    file.write_bytes(whole)
    assert restore(file, url).exit_code == 0


def test_a_restored_audit_log_that_was_altered_is_told(
    tmp_path: Path, database_url: str, fresh: Callable[[], str]
) -> None:
    with World(tmp_path, database_url) as world:
        make_some_of_everything(world)
        world.execute("UPDATE audit_log SET record = substr(record, 1, 20) WHERE sequence = 3")
    assert backup(database_url, tmp_path / "backup").exit_code == 0
    restored = restore(tmp_path / "backup", fresh())
    assert restored.exit_code == 1
    assert "symphony: record 3 " in restored.stderr
    assert "every record is as it was written" not in restored.stdout


def test_a_database_that_is_not_there_is_not_backed_up(tmp_path: Path) -> None:
    refused = backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "backup")
    assert refused.exit_code == 1
    assert "there is no database" in refused.stderr
    assert not list(tmp_path.iterdir())


class TestSqlite:
    """What only a file can have."""

    def test_a_backup_ends_though_there_is_a_write_between_any_two_steps(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"sqlite:///{tmp_path / 'source.db'}"
        with World(tmp_path, url) as world:
            make_some_of_everything(world)
        draft = tmp_path / "draft"
        pages = sqlite_backup.pages(tmp_path / "source.db")
        steps = []
        monkeypatch.setattr(sqlite_backup, "PAGES_A_STEP", 10)
        with closing(parse_url(url).open(read_only=False)) as session:

            def write(done: int) -> None:
                steps.append(done)
                assert sum(steps) <= pages, "it began anew"
                session.execute("UPDATE users SET name = name || 'x'")

            sqlite_backup.copy_pages(tmp_path / "source.db", draft, write)
        sqlite_backup.seal(draft)
        assert sum(steps) == pages
        assert not any("x" in row[3][-1:] for row in everything(f"sqlite:///{draft}")["users"])

    def test_a_database_that_is_damaged_is_replaced_by_force_only(self, tmp_path: Path) -> None:
        path, file = tmp_path / "source.db", tmp_path / "backup"
        with World(tmp_path, f"sqlite:///{path}"):
            pass
        rows = everything(f"sqlite:///{path}")
        assert backup(f"sqlite:///{path}", file).exit_code == 0
        path.write_text("Dear diary, " * 100)
        path.chmod(0o640)
        assert restore(file, f"sqlite:///{path}").exit_code == 1
        restored = restore(file, f"sqlite:///{path}", "--force", "--same-history")
        assert restored.exit_code == 0, restored.stderr
        assert everything(f"sqlite:///{path}") == rows
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def test_a_database_is_not_overwritten_with_its_own_backup(self, tmp_path: Path) -> None:
        path = tmp_path / "source.db"
        with World(tmp_path, f"sqlite:///{path}"):
            pass
        refused = backup(f"sqlite:///{path}", path, "--force")
        assert refused.exit_code == 1
        assert "is the database itself" in refused.stderr

    def test_a_backup_of_an_earlier_version_is_migrated_when_it_is_restored(
        self, tmp_path: Path
    ) -> None:
        old, file = tmp_path / "old.db", tmp_path / "backup"
        with closing(sqlite3.connect(old)) as connection:
            connection.execute("CREATE TABLE notes (text)")
        made = backup(f"sqlite:///{old}", file)
        assert made.exit_code == 0, made.stderr
        assert "schema: none\nit is not this version's" in made.stdout
        restored = restore(file, f"sqlite:///{tmp_path / 'new.db'}")
        assert restored.exit_code == 0, restored.stderr
        assert f"applied {MIGRATIONS[0]}\n" in restored.stdout
        assert "revision: 0\n" in restored.stdout

    def test_a_link_to_a_database_stays_one(self, tmp_path: Path) -> None:
        path, link, file = tmp_path / "source.db", tmp_path / "link.db", tmp_path / "backup"
        with World(tmp_path, f"sqlite:///{path}"):
            pass
        link.symlink_to(path)
        rows = everything(f"sqlite:///{link}")
        assert backup(f"sqlite:///{link}", file).exit_code == 0
        assert restore(file, f"sqlite:///{link}", "--force", "--same-history").exit_code == 0
        assert link.is_symlink()
        assert everything(f"sqlite:///{path}") == rows


class TestPostgresql:
    """What only a server of PostgreSQL's can have."""

    def test_a_program_that_is_missing_or_too_old_is_told_in_a_sentence(
        self, postgresql: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYMPHONY_PG_BIN", str(tmp_path))
        with postgresql.migrated() as url:
            missing = backup(url, tmp_path / "backup")
            (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
            (tmp_path / "pg_dump").chmod(0o755)
            too_old = backup(url, tmp_path / "backup")
        for refused in (missing, too_old):
            assert refused.exit_code == 1
            assert "symphony: pg_dump of PostgreSQL 18 or later is needed" in refused.stderr
            assert "SYMPHONY_PG_BIN" in refused.stderr
        assert f"{tmp_path / 'pg_dump'} is of version 9" in too_old.stderr
        assert not (tmp_path / "backup").exists()

    def test_a_password_is_never_on_a_command_line(
        self, postgresql: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = tmp_path / "said"
        (tmp_path / "pg_dump").write_text(
            "#!/bin/sh\n"
            '[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit\n'
            f'echo "$@" > {said}; echo "$PGPASSWORD" >> {said}; echo "no luck" >&2; exit 1\n'
        )
        (tmp_path / "pg_dump").chmod(0o755)
        monkeypatch.setenv("SYMPHONY_PG_BIN", str(tmp_path))
        with postgresql.migrated() as url:
            refused = backup(f"{url}&password=secret", tmp_path / "backup")
        assert refused.exit_code == 1
        assert "pg_dump failed: no luck" in refused.stderr
        assert "secret" not in refused.output
        arguments, password = said.read_text().splitlines()
        assert "secret" not in arguments
        assert password == "secret"

    def test_a_restore_that_fails_leaves_the_database_as_it_was(
        self, postgresql: Postgresql, tmp_path: Path
    ) -> None:
        file = tmp_path / "backup"
        with postgresql.migrated() as url:
            assert backup(url, file).exit_code == 0
            with World(tmp_path, url) as world:
                make_some_of_everything(world)
            before = everything(url)
            # What it knows nothing of rests on a table that it would replace.
            postgresql.execute("CREATE VIEW mine AS SELECT name FROM users", url)
            refused = restore(file, url, "--force")
            assert refused.exit_code == 1
            assert "pg_restore failed: " in refused.stderr
            assert everything(url) == before
            assert not is_empty(url)
