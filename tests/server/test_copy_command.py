"""`symphony copy`: everything arrives, on whichever engine, and a server goes on from it."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_command import main
from symphony_server import operator_copy
from symphony_server.cli import app
from symphony_server.operator_progress import Silent
from symphony_server.store import copying
from symphony_server.store.copying import ALL_TABLES, CopyFailed, WholeTables
from symphony_server.store.database import parse_url
from symphony_server.store.migrate import migrate
from tests import engines
from tests.benchmarks.filling import fill
from tests.e2e.processes import BIN
from tests.engines import NewDatabase
from tests.postgresql import Postgresql
from tests.server.follower import begun, told, until, watching
from tests.server.world import Person, World

ENGINES = engines.ALL
MEBIBYTE: Final = 1 << 20


@pytest.fixture
def source(database_url: str) -> str:
    """A new database of each engine, for a source."""
    return database_url


@pytest.fixture
def target(engine: str, tmp_path: Path, new_database: NewDatabase) -> str:
    """A migrated database without rows, of the other engine than the source."""
    other = next(one for one in engines.ALL if one != engine)
    directory = tmp_path / "target"
    directory.mkdir()
    return migrated(new_database(other, directory))


def migrated(url: str) -> str:
    migrate(parse_url(url))
    return url


def copy(source: str, target: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["copy", "--from", source, "--to", target, *options])


def audit(command: str, url: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["audit", command, "--database", url, *options])


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(parse_url(url).open(read_only=True)) as session:
        session.begin_snapshot()
        tables = WholeTables(session)
        return {table.name: list(tables.rows(table)) for table in ALL_TABLES}


def is_empty(url: str) -> bool:
    return not any(everything(url).values())


def make_some_of_everything(world: World) -> Person:
    owner = world.user()
    project = world.project(owner, description="über 💾")
    world.workflow(owner, project, shared=True)
    world.workflow(owner, project, request_id="again")
    owner.refused(owner.workflows.GetWorkflow, GetWorkflowRequest(id="nothing"))
    return owner


def test_every_row_arrives_and_comes_back(
    tmp_path: Path, source: str, target: str, engine: str, new_database: NewDatabase
) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
    copied = copy(source, target)
    assert copied.exit_code == 0, copied.stderr
    rows = everything(source)
    assert everything(target) == rows
    assert "every row is equal" in copied.stdout
    assert f"revision {rows['changes'][-1][0]}" in copied.stdout
    assert "copying workflows: 2\n" in copied.stderr

    back = tmp_path / "back"
    back.mkdir()
    home = migrated(new_database(engine, back))
    assert copy(target, home, "--no-progress").stderr == ""
    assert everything(home) == rows


def test_a_server_on_the_copy_goes_on_where_the_sources_was(
    tmp_path: Path, source: str, target: str
) -> None:
    with World(tmp_path, source) as world:
        owner = make_some_of_everything(world)
        [project] = {w.project_id: 0 for w in listed(owner)}
        request = world.new_workflow(project, request_id="kept")
        first = owner.ask(owner.workflows.CreateWorkflow, request)
        page = owner.get(owner.workflows.ListWorkflows, ListWorkflowsRequest(page_size=1))
        with watching(world.admin) as call:
            start = begun(call)
        later = [world.workflow(owner, world.project(owner)).id for _ in range(2)]
        with watching(world.admin) as call:
            last = begun(call)
        head = tmp_path / "head.json"
        head.write_text(audit("head", source).stdout)
    assert copy(source, target).exit_code == 0
    with World(tmp_path, target) as world:  # with the token that the source's ADMIN has
        assert world.database_url == target
        mover = Person(world.admin.channel, owner.secret, owner.user)
        again = mover.ask(mover.workflows.CreateWorkflow, request)
        assert again.response == first.response
        assert again.trailing["x-symphony-decision-id"] == first.trailing["x-symphony-decision-id"]
        next_page = ListWorkflowsRequest(page_size=1, page_token=page.next_page_token)
        assert mover.get(mover.workflows.ListWorkflows, next_page).workflows
        with watching(world.admin, start) as call:
            seen = [resource for _, resource in told(until(call, last))]
            assert set(later) < set(seen)
            made = world.workflow(mover, world.project(mover)).id
            assert [(c.revision, c.resource_id) for c in until(call, last + 3)][-1] == (
                last + 3,
                made,
            )
        verified = audit("verify", target, "--head", str(head))
        assert verified.exit_code == 0, verified.stderr
        assert f"they go on from the head in {head}" in verified.stdout


def listed(person: Person) -> Any:
    return person.get(person.workflows.ListWorkflows, ListWorkflowsRequest()).workflows


def test_the_copy_is_of_one_moment_of_a_server_that_writes(
    tmp_path: Path, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path, source, rate_limits=False) as world:
        owner = make_some_of_everything(world)
        project = world.project(owner)
        before = everything(source)
        counted = WholeTables.count

        def write_meanwhile(tables: WholeTables, table: copying.Table) -> int:
            count = counted(tables, table)
            world.workflow(owner, project)
            return count

        monkeypatch.setattr(WholeTables, "count", write_meanwhile)
        copied = copy(source, target)
        assert copied.exit_code == 0, copied.stderr
        assert everything(target) == before | {"tokens": everything(target)["tokens"]}
        assert len(everything(source)["workflows"]) > len(before["workflows"])


def test_a_row_that_changes_on_the_way_is_named_and_nothing_is_kept(
    tmp_path: Path, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path, source) as world:
        user = make_some_of_everything(world).user
    kept = WholeTables.rows
    calls = []

    def tampered(tables: WholeTables, table: copying.Table) -> Iterator[tuple[Any, ...]]:
        rows = kept(tables, table)
        if table.name != "users":
            yield from rows
            return
        calls.append(table)
        for row in rows:
            # First the source is read, to be copied; then both, to be compared.
            tamper = len(calls) == 1 and row[0] == user.id
            yield (*row[:3], "Mallory", *row[4:]) if tamper else row

    monkeypatch.setattr(WholeTables, "rows", tampered)
    refused = copy(source, target)
    monkeypatch.undo()
    assert refused.exit_code == 1
    assert f"{user.id} in users differs in name" in refused.stderr
    assert "every row is equal" not in refused.stdout
    assert is_empty(target)


def test_an_audit_log_that_was_altered_is_not_copied(
    tmp_path: Path, source: str, target: str
) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
        world.execute("UPDATE audit_log SET record = substr(record, 1, 20) WHERE sequence = 3")
    refused = copy(source, target)
    assert refused.exit_code == 1
    assert "record 3 of the audit log" in refused.stderr
    assert is_empty(target)


def test_a_copy_that_fails_leaves_the_target_empty_and_can_be_made_again(
    tmp_path: Path, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
    kept = WholeTables.rows

    def failing(tables: WholeTables, table: copying.Table) -> Iterator[tuple[Any, ...]]:
        yield from kept(tables, table)
        if table.name == "changes":
            raise CopyFailed("the source is gone")

    monkeypatch.setattr(WholeTables, "rows", failing)
    refused = copy(source, target)
    monkeypatch.undo()
    assert refused.exit_code == 1
    assert refused.stderr.endswith("symphony: the source is gone\n")
    assert is_empty(target)
    assert copy(source, target).exit_code == 0
    assert not list(tmp_path.rglob("*.new"))


def test_a_copy_that_is_killed_is_there_whole_or_not_at_all(
    tmp_path: Path, source: str, target: str
) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
    with subprocess.Popen(
        [BIN / "symphony", "copy", "--from", source, "--to", target],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("copying changes"):
                process.kill()
                break
    assert is_empty(target) or everything(target) == everything(source)


def test_a_target_with_anything_in_it_is_refused_and_stays_as_it_was(
    tmp_path: Path, source: str, target: str
) -> None:
    with World(tmp_path, source):
        pass
    assert copy(source, target).exit_code == 0
    before = everything(target)
    refused = copy(source, target)
    assert refused.exit_code == 1
    assert "is not empty: there are rows in users, tokens, audit_log" in refused.stderr
    assert everything(target) == before


def test_databases_that_are_not_migrated_are_refused(
    tmp_path: Path, source: str, target: str
) -> None:
    missing = f"sqlite:///{tmp_path / 'none.db'}"
    for pair in ((missing, target), (target, missing)):
        refused = copy(*pair)
        assert refused.exit_code == 1
        assert f"run 'symphony migrate --database {missing}' first" in refused.stderr
    sqlite3.connect(tmp_path / "none.db").close()
    assert copy(missing, target).exit_code == 2
    assert copy(migrated(source), missing).exit_code == 2


class TestFromSqlite:
    """What only a SQLite file can have."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'source.db'}"

    @pytest.fixture
    def target(self, postgresql: Postgresql) -> str:
        return postgresql.migrated_database()

    def test_a_text_that_postgresql_cannot_hold_is_named_before_anything_is_copied(
        self, tmp_path: Path, source: str, target: str
    ) -> None:
        with World(tmp_path, source) as world:
            user = world.user().user
            world.execute(f"UPDATE users SET name = 'A' || char(0) WHERE id = '{user.id}'")  # noqa: S608
        refused = copy(source, target)
        assert refused.exit_code == 1
        assert f"name of {user.id} in users has the character U+0000" in refused.stderr
        assert "copying" not in refused.stderr

    def test_what_has_another_type_than_its_column_is_not_copied(
        self, tmp_path: Path, source: str, target: str
    ) -> None:
        with World(tmp_path, source) as world:
            world.user()
            world.execute("UPDATE users SET tier = 'gold'")
        refused = copy(source, target)
        assert refused.exit_code == 1
        assert "the table users cannot be written, and nothing was" in refused.stderr
        assert is_empty(target)

    def test_memory_does_not_grow_with_the_tables(self, tmp_path: Path) -> None:
        peaks = []
        for workflows in (600, 2000):
            directory = tmp_path / str(workflows)
            directory.mkdir()
            source = f"sqlite:///{directory / 'source.db'}"
            fill(directory, source, workflows)
            target = migrated(f"sqlite:///{directory / 'target.db'}")
            tracemalloc.start()
            operator_copy.copy(source, target, Silent())
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + MEBIBYTE

    def test_a_target_that_somebody_opened_meanwhile_is_not_replaced(
        self, tmp_path: Path, source: str
    ) -> None:
        with World(tmp_path, source):
            pass
        target = migrated(f"sqlite:///{tmp_path / 'target.db'}")
        with closing(parse_url(target).open(read_only=True)):
            refused = copy(source, target)
        assert refused.exit_code == 1
        assert "is in use" in refused.stderr
        assert is_empty(target)
        assert copy(source, target).exit_code == 0


def test_a_terminal_is_shown_a_bar(
    tmp_path: Path, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
    monkeypatch.setenv("FORCE_COLOR", "1")  # which rich takes for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    copied = copy(source, target)
    assert copied.exit_code == 0
    assert "comparing server_keys" in copied.stderr
    assert "2/2" in copied.stderr


def test_the_commands_are_the_symphony_commands_own() -> None:
    for name in ("backup", "restore", "copy"):
        assert CliRunner().invoke(main.app, [name, "--help"]).exit_code == 0


def test_two_copies_into_one_database_do_not_mix(tmp_path: Path, source: str, target: str) -> None:
    with World(tmp_path, source) as world:
        make_some_of_everything(world)
    exits = []

    def run() -> None:
        try:
            operator_copy.copy(source, target, Silent())
            exits.append(0)
        except RuntimeError:
            exits.append(1)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 in exits
    assert everything(target) == everything(source)
