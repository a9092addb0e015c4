from __future__ import annotations

import re

import pytest
from google.protobuf import descriptor_pool, message_factory

from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.calls.outgoing_call import OutgoingCall
from symphony_client.calls.request_id import RequestId
from symphony_client.contract_methods import ContractMethod, contract_methods
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import ContractServer

WRITES = [method for method in contract_methods().values() if method.writes]


def an_empty_call(method: ContractMethod) -> OutgoingCall:
    descriptor = descriptor_pool.Default().FindMethodByName(f"{method.service}.{method.name}")
    request = message_factory.GetMessageClass(descriptor.input_type)()
    return OutgoingCall(path=method.path, request=request, timeout_seconds=None, metadata=())


@both_apis
def test_a_write_gets_a_request_id_and_the_callers_message_stays_as_it_was(
    api: Api, server: ContractServer
) -> None:
    request = requests.create_workflow()
    before = request.SerializeToString()

    for _ in range(2):
        api.call(
            server.target, lambda channel: WorkflowServiceStub(channel).CreateWorkflow(request)
        )

    first, second = (attempt.request for attempt in server.attempts)
    assert re.fullmatch("[0-9a-f]{32}", first.request_id)
    assert first.request_id != second.request_id
    assert first.spec == request.spec
    assert request.SerializeToString() == before


@both_apis
def test_the_request_id_of_the_caller_is_kept(api: Api, server: ContractServer) -> None:
    request = requests.create_workflow(request_id="mine")

    api.call(server.target, lambda channel: WorkflowServiceStub(channel).CreateWorkflow(request))

    assert server.attempt.request == request


@pytest.mark.parametrize("method", WRITES, ids=lambda method: method.name)
def test_every_write_of_the_contract_gets_one(method: ContractMethod) -> None:
    call = an_empty_call(method)
    request = call.request

    RequestId().prepare(call)

    assert call.request is not request
    assert len(call.request.request_id) == 32  # type: ignore[attr-defined] # that is the test


@pytest.mark.parametrize(
    "method",
    [method for method in contract_methods().values() if not method.writes],
    ids=lambda method: method.name,
)
def test_no_read_is_touched(method: ContractMethod) -> None:
    call = an_empty_call(method)
    request = call.request

    RequestId().prepare(call)

    assert call.request is request


def test_a_request_of_another_kind_is_left_to_grpc_to_refuse() -> None:
    call = an_empty_call(WRITES[0])
    call.request = requests.get_workflow()

    RequestId().prepare(call)

    assert call.request == requests.get_workflow()
