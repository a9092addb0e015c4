from __future__ import annotations

import pytest

from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import ContractServer

WIRE_PRECISION = 1.02
"""A deadline has three digits on the wire at most, and gRPC rounds it up to them: 3600.2 s is 361
tens of seconds."""


@both_apis
@pytest.mark.parametrize(("settings", "at_most"), [({}, 30), ({"timeout_seconds": 7}, 7)])
def test_every_call_has_a_deadline(
    api: Api, server: ContractServer, settings: dict[str, float], at_most: float
) -> None:
    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
        **settings,
    )

    assert server.attempt.seconds_left is not None
    # A busy machine takes its time to connect.
    assert at_most / 4 < server.attempt.seconds_left <= at_most * WIRE_PRECISION


@both_apis
def test_the_deadline_of_a_call_goes_before_that_of_the_channel(
    api: Api, server: ContractServer
) -> None:
    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).GetWorkflow(
            requests.get_workflow(), timeout=300
        ),
    )

    assert server.attempt.seconds_left is not None
    assert 200 < server.attempt.seconds_left <= 300 * WIRE_PRECISION


@both_apis
def test_a_stream_has_a_deadline_long_enough_to_watch(api: Api, server: ContractServer) -> None:
    api.read(server.target, lambda channel: ChangeServiceStub(channel).Watch(WatchRequest()))

    assert server.attempt.seconds_left is not None
    assert 3000 < server.attempt.seconds_left <= 3600 * WIRE_PRECISION
