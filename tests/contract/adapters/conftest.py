from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from symphony_client.adapters.cached import CachedDataSource
from symphony_client.data_access import DataAccess
from tests.contract.adapters.adapters import ADAPTERS, CASES
from tests.contract.adapters.replica_world import Line, line_to
from tests.contract.adapters.scripted_source import (
    Clock,
    ScriptedSource,
    ScriptedWatch,
    begin_watch,
)
from tests.engines import SQLITE
from tests.postgresql import Postgresql
from tests.server.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, rate_limits=False) as made:
        yield made


@pytest.fixture
async def line(world: World) -> AsyncIterator[Line]:
    """The line of the ADMIN."""
    line = line_to(world)
    yield line
    await line.close()


@pytest.fixture
def inner() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cached(inner: ScriptedSource, clock: Clock) -> AsyncIterator[CachedDataSource]:
    """A cache that nothing was asked of yet."""
    source = CachedDataSource(inner, ttl_seconds=30, max_entries=10, timer=clock)
    yield source
    await source.close()


@pytest.fixture
async def watch(cached: CachedDataSource, inner: ScriptedSource) -> ScriptedWatch:
    """The live Watch of the cache."""
    return await begin_watch(cached, inner)


@pytest.fixture(params=CASES, ids="-".join)
async def data(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DataAccess]:
    """Every adapter, over a store of its own."""
    adapter, engine = request.param
    with ExitStack() as held:
        if engine == SQLITE:
            url = f"sqlite:///{tmp_path / 'symphony.db'}"
        else:
            server: Postgresql = request.getfixturevalue("postgresql")
            url = held.enter_context(server.migrated())
        async with ADAPTERS[adapter](tmp_path, url) as opened:
            yield opened
