from __future__ import annotations

import grpc
import pytest

import symphony_client
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.calls.refused_call import RefusedCall
from symphony_client.errors import PreValidationFailed, Violation
from tests.client import requests

REFUSAL = PreValidationFailed([Violation(field="id", rule="string.pattern", description="no")])


def test_a_future_of_a_refused_call_has_the_code_and_the_error_of_the_refusal() -> None:
    with symphony_client.connect("localhost:1") as channel:
        call = WorkflowServiceStub(channel).CreateWorkflow.future(requests.malformed_workflow())

    assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert isinstance(call.exception(), PreValidationFailed)
    with pytest.raises(PreValidationFailed):
        call.result()
    with pytest.raises(PreValidationFailed):
        WorkflowServiceStub(channel).CreateWorkflow.with_call(requests.malformed_workflow())


def test_a_refused_stream_raises_when_it_is_read() -> None:
    with symphony_client.connect("localhost:1") as channel:
        stream = ChangeServiceStub(channel).Watch(WatchRequest(start_revision=-1))

    assert stream.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(PreValidationFailed):
        next(iter(stream))


def test_a_refused_call_has_ended_in_every_respect() -> None:
    told: list[object] = []
    call = RefusedCall(REFUSAL)

    call.add_done_callback(told.append)

    assert told == [call]
    assert call.done()
    assert not call.add_callback(lambda: None)
    assert not any((call.is_active(), call.running(), call.cancel(), call.cancelled()))
    assert call.time_remaining() == 0


def test_a_refused_call_tells_what_a_failed_one_tells() -> None:
    call = RefusedCall(REFUSAL)

    assert call.details() == "id: no"
    assert call.initial_metadata() == ()
    assert [key for key, _ in call.trailing_metadata()] == ["grpc-status-details-bin"]
    assert call.traceback() is REFUSAL.__traceback__
