"""Every adapter over a world of its own, so that one suite can hold them all to the contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import User
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.adapters.grpc import GrpcDataSource
from symphony_client.adapters.hybrid import HybridDataSource
from symphony_client.adapters.local import LocalDataSource
from symphony_client.adapters.mock import MockDataSource
from symphony_client.channel_settings import ChannelSettings
from symphony_client.data_access import DataAccess
from symphony_client.data_source import DataSource
from tests.engines import ALL, SQLITE
from tests.server.world import World

Open = Callable[[Path, str], AbstractAsyncContextManager[DataAccess]]
"""Opens a data access whose user is an ADMIN, on the empty database with a URL; in a directory."""


def over_grpc(wrap: Callable[[GrpcDataSource], DataSource]) -> Open:
    @asynccontextmanager
    async def opened(directory: Path, database_url: str) -> AsyncIterator[DataAccess]:
        with World(directory, database_url, rate_limits=False) as world:
            async with DataAccess(wrap(grpc_source(world))) as data:
                yield data

    return opened


def grpc_source(world: World, token: str | None = None, **settings: Any) -> GrpcDataSource:
    """The server of a world, asked by its ADMIN or by whose token it is."""
    return GrpcDataSource(
        ChannelSettings(target=world.server.target, token=token or world.admin.secret, **settings)
    )


@asynccontextmanager
async def local(_: Path, database_url: str) -> AsyncIterator[DataAccess]:
    source = LocalDataSource(
        database_url, user="admin@localhost", channel=ChannelSettings(target="unused")
    )
    async with DataAccess(source) as data:
        yield data


@asynccontextmanager
async def mock(*_: object) -> AsyncIterator[DataAccess]:
    async with DataAccess(MockDataSource()) as data:
        yield data


ADAPTERS: Final[Mapping[str, Open]] = {
    "grpc": over_grpc(lambda source: source),
    "local": local,
    "mock": mock,
    "hybrid": over_grpc(HybridDataSource),
    "cached": over_grpc(CachedDataSource),
}

CASES: Final = [
    (adapter, engine)
    for adapter in ADAPTERS
    for engine in (ALL if adapter != "mock" else (SQLITE,))
]
"""Every adapter on every engine; the mock has none."""


async def caller(data: DataAccess) -> User:
    """Who calls."""
    me: User = (await data.source.call(WhoAmIRequest())).message.user
    return me


async def new_project(data: DataAccess, name: str = "Project") -> Project:
    return await data.projects.save(Project(name=name))


def new_workflow(project: Project, name: str = "Build", **fields: Any) -> CreateWorkflowRequest:
    steps = [WorkflowStep(name="fetch", command="git pull")]
    fields.setdefault("spec", WorkflowSpec(name=name, steps=steps))
    return CreateWorkflowRequest(project_id=project.id, **fields)


async def made_workflow(
    data: DataAccess, project: Project, name: str = "Build", **fields: Any
) -> Workflow:
    return await data.workflows.create_workflow(new_workflow(project, name, **fields))
