"""A replica in a file: gone on with after any end, of one user, and never in the way."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from symphony.v1.project_service_pb2 import (
    GetProjectRequest,
    ListProjectsRequest,
)
from symphony.v1.workflow_service_pb2 import (
    ListWorkflowsRequest,
)
from symphony_client.errors import (
    NetworkError,
    NotFound,
)
from symphony_client.replica.replica import Replica
from symphony_client.resources.kinds import Kind
from symphony_client.resources.resource_table import ResourceTable
from tests.contract.adapters.replica_world import (
    Line,
    every,
    everything,
    hybrid,
    is_ready,
    line_to,
    ready,
    until,
)
from tests.server.follower import last_revision
from tests.server.test_replicas import Chaos
from tests.server.world import World


async def test_a_file_is_gone_on_with_where_it_was_left(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replicas" / "mine.db"
    project = world.project(world.admin)
    source = hybrid(line, file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    revision = source.staleness().revision
    await source.close()
    await source.close()
    assert file.stat().st_mode & 0o077 == 0
    world.workflow(world.admin, project)

    line = line_to(world)
    source = hybrid(line, file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    assert [request.start_revision for request in line.watches] == [0, revision]
    assert (await every(source, ListWorkflowsRequest())) == await every(
        line.inner, ListWorkflowsRequest()
    )
    await source.close()


async def test_another_users_file_is_emptied_before_anything_is_read(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replica.db"
    secret = world.project(world.admin, name="a secret of the first user")
    source = hybrid(line, file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    await source.close()
    assert b"a secret of the first user" in file.read_bytes()

    stranger = line_to(world, world.user())
    stranger.cut()
    source = hybrid(stranger, file)
    with pytest.raises(NetworkError):
        await source.call(GetProjectRequest(id=secret.id))
    stranger.mend()
    with pytest.raises(NotFound):
        await source.call(GetProjectRequest(id=secret.id))
    await until(lambda: is_ready(source))
    with pytest.raises(NotFound):
        await source.call(GetProjectRequest(id=secret.id))
    assert await every(source, ListProjectsRequest()) == []
    await source.close()
    assert b"a secret of the first user" not in file.read_bytes()


async def test_a_file_that_cannot_be_used_is_left_alone_and_memory_serves(
    world: World, line: Line, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database" * 100)
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE resources (mine TEXT)")
    connection.close()
    taken = tmp_path / "taken.db"
    holder = Replica(taken)
    contents = text.read_bytes(), foreign.read_bytes()
    for file in (text, foreign, taken, tmp_path):
        line = line_to(world)
        source = hybrid(line, file)
        await ready(source, ListProjectsRequest())
        line.calls.clear()
        assert await every(source, ListProjectsRequest()) == []
        assert not line.calls
        await source.close()
    holder.close()
    assert (text.read_bytes(), foreign.read_bytes()) == contents


async def test_a_file_of_an_older_make_is_filled_anew(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replica.db"
    project = world.project(world.admin)
    source = hybrid(line, file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    await source.close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 7")
    connection.execute("ALTER TABLE resources DROP COLUMN message")
    connection.close()
    source = hybrid(line_to(world), file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    assert await every(source, ListProjectsRequest()) == [project]
    await source.close()


async def test_a_file_from_another_server_is_filled_anew(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replica.db"
    source = hybrid(line, file, server="here:1")
    await ready(source, ListProjectsRequest())
    await source.close()
    for server, filled in (("here:1", False), ("there:1", True)):
        line = line_to(world)
        source = hybrid(line, file, server=server)
        await ready(source, ListProjectsRequest())
        assert (line.watches[1].start_revision == 0) is filled
        await source.close()


async def test_a_store_that_was_put_back_to_an_earlier_state_is_read_afresh(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replica.db"
    source = hybrid(line, file)
    await ready(source, ListProjectsRequest())
    await source.close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = 9999 WHERE key = 'revision'")
        connection.execute("DELETE FROM resources")
    connection.close()
    project = world.project(world.admin)
    line = line_to(world)
    source = hybrid(line, file)
    # A write of before, which the store does not have any more.
    source._own_writes.wrote(9999)
    await ready(source, ListProjectsRequest())
    line.calls.clear()
    assert (await every(source, ListProjectsRequest())) == [project]
    assert not line.calls
    await source.close()


async def test_whenever_the_process_is_killed_its_file_resumes_rightly(
    world: World, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chaos = Chaos(world, [world.user()], random.Random(1))  # noqa: S311
    for act in (chaos.add_project, chaos.add_workflow, chaos.start, chaos.install):
        for _ in range(8):
            act()
    file = tmp_path / "replica.db"
    # What a kill leaves are the files as they are in the middle of writing a row.
    left: list[Path] = []
    written = itertools.count(1)
    put = ResourceTable.put

    def put_and_look(table: ResourceTable, kind: Kind, resource: Any) -> None:
        put(table, kind, resource)
        if next(written) % 4 == 0 and table._connection.in_transaction:
            left.append(tmp_path / f"left{len(left)}.db")
            for suffix in ("", "-wal"):
                copied = left[-1].with_name(left[-1].name + suffix)
                copied.write_bytes(file.with_name(file.name + suffix).read_bytes())

    with monkeypatch.context() as patched:
        patched.setattr(ResourceTable, "put", put_and_look)
        source = hybrid(line, file)
        await ready(source, ListProjectsRequest())
        filled = len(left)
        for _ in range(40):
            chaos.act()
        await until(lambda: is_ready(source, last_revision(world)))
        await source.close()
    assert filled > 5
    assert len(left) > filled + 5

    last = last_revision(world)
    truth = await everything(line_to(world).inner)
    resumed = 0
    for one in left:
        line = line_to(world)
        source = hybrid(line, one)
        await ready(source, ListProjectsRequest(), revision=last)
        assert await everything(source) == truth
        resumed += line.watches[1].start_revision > 0
        await source.close()
    assert resumed == len(left) - filled, "one that was not filled yet is filled anew"


_FOLLOWER = """
import asyncio, sys
from pathlib import Path
from symphony.v1.project_service_pb2 import ListProjectsRequest
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.channel_settings import ChannelSettings

async def follow(target, token, file):
    source = HybridDataSource(
        GrpcDataSource(ChannelSettings(target=target, token=token)), Path(file)
    )
    await source.call(ListProjectsRequest())
    while True:
        print(source.staleness().revision or 0, flush=True)
        await asyncio.sleep(0.001)

asyncio.run(follow(*sys.argv[1:]))
"""


async def test_a_process_that_is_killed_while_it_follows_leaves_a_file_to_go_on_with(
    world: World, line: Line, tmp_path: Path
) -> None:
    file = tmp_path / "replica.db"
    project = world.project(world.admin)
    begun = last_revision(world)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _FOLLOWER, world.server.target, world.admin.secret or "", file),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    revision = 0
    while revision < begun + 100:
        if revision:
            world.workflow(world.admin, project)
        revision = int(await process.stdout.readline())
    process.kill()
    await process.wait()

    source = hybrid(line, file)
    await ready(source, ListProjectsRequest(), revision=last_revision(world))
    assert line.watches[1].start_revision >= begun
    assert await everything(source) == await everything(line.inner)
    await source.close()


async def test_to_close_in_the_middle_of_anything_leaves_nothing_running(
    world: World, tmp_path: Path
) -> None:
    project = world.project(world.admin)
    for _ in range(20):
        world.workflow(world.admin, project)
    for turns in (0, 1, 5, 20, 50, 100, 200, 400):
        source = hybrid(line_to(world), tmp_path / "replica.db")
        reading = asyncio.create_task(source.call(ListProjectsRequest()))
        for _ in range(turns):
            await asyncio.sleep(0)
        await source.close()
        await asyncio.gather(reading, return_exceptions=True)
    never_used = hybrid(line_to(world))
    await never_used.close()
    tasks = {task.get_name() for task in asyncio.all_tasks()}
    assert "symphony-replica" not in tasks
