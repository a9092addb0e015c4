"""The local data source: a real server in this process, on a database of one's own."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Role, User
from symphony_client import DataAccess, NotFound, OperationNotSupported
from symphony_client.adapters.local import LocalDataSource
from symphony_client.channel_settings import ChannelSettings
from tests.contract.adapters.adapters import caller


def source(
    directory: Path, user: str = "me@example.com", token: str | None = None
) -> LocalDataSource:
    return LocalDataSource(
        f"sqlite:///{directory / 'mine.db'}",
        user=user,
        channel=ChannelSettings(target="unused", token=token),
    )


def tokens(directory: Path) -> int:
    connection = sqlite3.connect(directory / "mine.db")
    try:
        return int(connection.execute("SELECT count(*) FROM tokens").fetchone()[0])
    finally:
        connection.close()


async def test_what_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    async with DataAccess(source(tmp_path)) as data:
        project = await data.projects.save(Project(name="Kept"))
        me = await caller(data)
        assert (me.email, list(me.roles)) == ("me@example.com", [Role.ROLE_ADMIN])
    async with DataAccess(source(tmp_path)) as data:
        assert await data.projects.find_by_id(project.id) == project
        assert (await caller(data)).id == me.id


async def test_the_token_made_for_it_ends_with_it(tmp_path: Path) -> None:
    async with DataAccess(source(tmp_path)) as data:
        await caller(data)
        assert tokens(tmp_path) == 1
    assert tokens(tmp_path) == 0


async def test_a_user_who_is_not_there_is_told(tmp_path: Path) -> None:
    async with DataAccess(source(tmp_path)) as data:
        await caller(data)
    other = DataAccess(source(tmp_path, "other@example.com"))
    with pytest.raises(NotFound, match=r"no user other@example\.com"):
        await caller(other)
    await other.close()


async def test_one_may_be_another_user_than_the_first(tmp_path: Path) -> None:
    async with DataAccess(source(tmp_path)) as data:
        bob = await data.users.save(User(email="bob@example.com", name="Bob"))
    async with DataAccess(source(tmp_path, "bob@example.com")) as data:
        assert await caller(data) == bob


async def test_first_calls_at_once_start_one_server(tmp_path: Path) -> None:
    async with DataAccess(source(tmp_path)) as data:
        calls = [data.source.call(WhoAmIRequest()) for _ in range(10)]
        answers = await asyncio.gather(*calls)
        assert len({answer.message.token.id for answer in answers}) == 1


def test_what_is_never_used_starts_nothing(tmp_path: Path) -> None:
    async def nothing() -> None:
        async with DataAccess(source(tmp_path)):
            pass

    asyncio.run(nothing())
    assert not list(tmp_path.iterdir())


async def test_without_the_server_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "symphony_server.embedded", None)
    data = DataAccess(source(tmp_path))
    with pytest.raises(OperationNotSupported, match=r"symphony-data\[server\]"):
        await caller(data)
    await data.close()
