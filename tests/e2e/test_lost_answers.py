"""A write whose answer is lost on the way is tried again, and has one effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

import symphony_client
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from tests.client.both_apis import Api, both_apis
from tests.e2e.lossy_proxy import LossyProxy
from tests.server.world import World

NAME = "Lost on the way"
# The proxy's: asyncio never closes a connection that it was accepting as its listener went.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@both_apis
@pytest.mark.parametrize("losses", [1, 2])
def test_a_write_whose_answer_is_lost_has_one_effect(tmp_path: Path, api: Api, losses: int) -> None:
    with (
        World(tmp_path) as world,
        LossyProxy(world.server.target, NAME.encode(), losses=losses) as proxy,
    ):

        def create(channel: Any) -> Any:
            return ProjectServiceStub(channel).CreateProject(CreateProjectRequest(name=NAME))

        made = api.call(proxy.target, create, token=world.admin.secret)

        assert proxy.lost == losses
        listed = world.admin.get(world.admin.projects.ListProjects, ListProjectsRequest())
        assert list(listed.projects) == [made]
        records = world.audit(lambda record: record.method.endswith("/CreateProject"))
        assert len(records) == 1


def test_without_a_retry_the_loss_is_told_and_the_effect_is_there(tmp_path: Path) -> None:
    with (
        World(tmp_path) as world,
        LossyProxy(world.server.target, NAME.encode(), losses=1) as proxy,
    ):
        with (
            symphony_client.connect(
                proxy.target, token=world.admin.secret, retry_attempts=1
            ) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            ProjectServiceStub(channel).CreateProject(CreateProjectRequest(name=NAME))

        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert len(world.audit(lambda record: record.method.endswith("/CreateProject"))) == 1
