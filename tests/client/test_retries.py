from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

import symphony_client
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import Answer, ContractServer

UNAVAILABLE = Answer(grpc.StatusCode.UNAVAILABLE, "later")
NOT_RETRIED = [
    code
    for code in grpc.StatusCode
    if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
]


@both_apis
def test_a_write_is_repeated_with_one_request_id_until_it_succeeds(
    api: Api, server: ContractServer
) -> None:
    server.answers(UNAVAILABLE, UNAVAILABLE, Answer())

    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).CreateWorkflow(requests.create_workflow()),
        token="sym_x",
    )

    assert len(server.attempts) == 3
    assert len({attempt.request.request_id for attempt in server.attempts}) == 1
    assert server.attempts[0].request.request_id
    assert {attempt.metadata["authorization"] for attempt in server.attempts} == {"Bearer sym_x"}


@both_apis
@pytest.mark.parametrize("attempts", [1, 3, 5])
def test_a_call_is_tried_as_often_as_the_settings_say(
    api: Api, server: ContractServer, attempts: int
) -> None:
    # The pushback makes gRPC wait a millisecond, not its own pauses.
    server.answers(
        Answer(grpc.StatusCode.UNAVAILABLE, "later", trailers=(("grpc-retry-pushback-ms", "1"),))
    )

    with pytest.raises(grpc.RpcError) as caught:
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
            retry_attempts=attempts,
        )

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(server.attempts) == attempts


@both_apis
def test_all_attempts_of_a_call_share_its_deadline(api: Api, server: ContractServer) -> None:
    an_hour = ("grpc-retry-pushback-ms", "3600000")
    server.answers(Answer(grpc.StatusCode.UNAVAILABLE, "later", trailers=(an_hour,)))

    with pytest.raises(grpc.RpcError) as caught:
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
            timeout_seconds=0.2,
        )

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_what_a_stopping_server_cancels_is_repeated(server: ContractServer) -> None:
    server.answers(Answer(grpc.StatusCode.CANCELLED, "CANCELLED"), Answer())

    with symphony_client.connect(server.target) as channel:
        WorkflowServiceStub(channel).CreateWorkflow(requests.create_workflow())

    assert len({attempt.request.request_id for attempt in server.attempts}) == 1
    assert len(server.attempts) == 2


@pytest.mark.parametrize("code", NOT_RETRIED, ids=lambda code: code.name)
def test_nothing_but_unavailable_and_cancelled_is_retried(
    server: ContractServer, code: grpc.StatusCode
) -> None:
    server.answers(Answer(code, "no"))

    with symphony_client.connect(server.target) as channel, pytest.raises(grpc.RpcError) as caught:
        WorkflowServiceStub(channel).CreateWorkflow(requests.create_workflow())

    assert caught.value.code() is code
    assert len(server.attempts) == 1


def test_a_server_can_forbid_the_retry(server: ContractServer) -> None:
    server.answers(
        Answer(grpc.StatusCode.UNAVAILABLE, "never", trailers=(("grpc-retry-pushback-ms", "-1"),))
    )

    with symphony_client.connect(server.target) as channel, pytest.raises(grpc.RpcError):
        WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow())

    assert len(server.attempts) == 1


def test_in_an_outage_sixty_calls_one_after_another_make_at_most_66_attempts(
    server: ContractServer,
) -> None:
    server.answers(UNAVAILABLE)

    with symphony_client.connect(server.target) as channel:
        workflows = WorkflowServiceStub(channel)
        for _ in range(60):
            with pytest.raises(grpc.RpcError):
                workflows.GetWorkflow(requests.get_workflow())

    assert 60 < len(server.attempts) <= 66


def test_in_an_outage_sixty_calls_at_once_make_at_most_66_attempts(
    server: ContractServer,
) -> None:
    server.answers(UNAVAILABLE)

    with symphony_client.connect(server.target) as channel, ThreadPoolExecutor(60) as callers:
        get_workflow = WorkflowServiceStub(channel).GetWorkflow
        calls = [callers.submit(get_workflow, requests.get_workflow()) for _ in range(60)]
        errors = [call.exception() for call in calls]

    assert all(isinstance(error, grpc.RpcError) for error in errors)
    assert 60 <= len(server.attempts) <= 66
