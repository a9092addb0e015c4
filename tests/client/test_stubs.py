"""The contract between the stubs and the wire, on grpc_testing's fake channel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

import grpc
import grpc_testing
import pytest
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import ErrorInfo, ResourceInfo

from symphony.v1 import change_service_pb2, workflow_pb2, workflow_service_pb2
from symphony.v1.change_pb2 import Checkpoint
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client import raising_data_errors
from symphony_client.calls.concerns import concerns
from symphony_client.calls.sync_interceptor import SyncInterceptor
from symphony_client.channel_settings import ChannelSettings
from symphony_client.errors import NotFound, PreValidationFailed
from tests.client import requests
from tests.client.fake_channel import InterceptableChannel

WORKFLOWS = workflow_service_pb2.DESCRIPTOR.services_by_name["WorkflowService"]
CHANGES = change_service_pb2.DESCRIPTOR.services_by_name["ChangeService"]


class Wire:
    """A channel with our interceptor over a fake one, and the far end of it."""

    def __init__(self) -> None:
        self._fake = grpc_testing.channel([WORKFLOWS, CHANGES], grpc_testing.strict_fake_time(0))
        self._outermost = InterceptableChannel(self._fake)
        settings = ChannelSettings(target="fake", token="sym_x", act_as=requests.USER_ID)
        self.channel = grpc.intercept_channel(self._outermost, SyncInterceptor(concerns(settings)))

    def begin(self, call: Callable[[], Any]) -> Future[Any]:
        """Runs the application's side, which blocks until the far end has answered."""
        outcome: Future[Any] = Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except Exception as error:
                outcome.set_exception(error)

        # A daemon, so that a test that fails before it answers ends all the same.
        Thread(target=run, daemon=True).start()
        return outcome

    @property
    def timeout(self) -> float | None:
        """The timeout of the only call."""
        (timeout,) = self._outermost.timeouts
        return timeout

    def take(self, method: str) -> tuple[dict[str, Any], Any, Any]:
        """Returns the metadata, the request and the far end of the call that was made."""
        metadata, request, rpc = self._fake.take_unary_unary(WORKFLOWS.methods_by_name[method])
        ours = {key: value for key, value in metadata if not key.startswith("grpc.")}
        return ours, request, rpc

    def take_stream(self) -> tuple[Any, Any]:
        _, request, rpc = self._fake.take_unary_stream(CHANGES.methods_by_name["Watch"])
        return request, rpc


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_create_sends_the_request_with_an_id_and_exactly_our_metadata(wire: Wire) -> None:
    request = requests.create_workflow()
    call = wire.begin(lambda: WorkflowServiceStub(wire.channel).CreateWorkflow(request))

    metadata, sent, rpc = wire.take("CreateWorkflow")
    rpc.terminate(workflow_pb2.Workflow(id=requests.WORKFLOW_ID), (), grpc.StatusCode.OK, "")

    assert metadata == {
        "authorization": "Bearer sym_x",
        "x-symphony-act-as": requests.USER_ID,
    }
    assert len(sent.request_id) == 32
    sent.request_id = ""
    assert sent == request
    assert wire.timeout == 30
    assert call.result().id == requests.WORKFLOW_ID


def test_a_get_sends_the_very_request(wire: Wire) -> None:
    request = requests.get_workflow()
    call = wire.begin(lambda: WorkflowServiceStub(wire.channel).GetWorkflow.with_call(request))

    _, sent, rpc = wire.take("GetWorkflow")
    rpc.terminate(
        workflow_pb2.Workflow(id=request.id), (("x-request-id", "r1"),), grpc.StatusCode.OK, ""
    )

    assert sent is request
    answer, finished = call.result()
    assert answer.id == request.id
    assert dict(finished.trailing_metadata())["x-request-id"] == "r1"


def test_a_refusal_of_the_server_arrives_as_its_data_error(wire: Wire) -> None:
    def get() -> None:
        with raising_data_errors():
            WorkflowServiceStub(wire.channel).GetWorkflow(requests.get_workflow())

    status = status_pb2.Status(code=5, message="there is no such workflow")
    status.details.add().Pack(ErrorInfo(reason="RESOURCE_NOT_FOUND", domain="symphony.v1"))
    status.details.add().Pack(ResourceInfo(resource_name=requests.WORKFLOW_ID))
    call = wire.begin(get)

    _, _, rpc = wire.take("GetWorkflow")
    rpc.terminate(
        None,
        (("grpc-status-details-bin", status.SerializeToString()),),
        grpc.StatusCode.NOT_FOUND,
        status.message,
    )

    error = call.exception()
    assert isinstance(error, NotFound)
    assert str(error) == "there is no such workflow"
    assert error.reason == "RESOURCE_NOT_FOUND"
    assert error.status.resource_name == requests.WORKFLOW_ID


def test_a_refusal_before_the_call_takes_nothing_to_the_wire(wire: Wire) -> None:
    stub = WorkflowServiceStub(wire.channel)

    with pytest.raises(PreValidationFailed):
        stub.CreateWorkflow(requests.malformed_workflow())


def test_a_stream_gives_its_answers_as_they_come(wire: Wire) -> None:
    request = change_service_pb2.WatchRequest(start_revision=7)
    answers = ChangeServiceStub(wire.channel).Watch(request)

    sent, rpc = wire.take_stream()
    rpc.send_response(change_service_pb2.WatchResponse(checkpoint=Checkpoint(revision=8)))

    assert sent is request
    assert next(answers).checkpoint.revision == 8
    rpc.terminate((), grpc.StatusCode.OK, "")
    assert list(answers) == []
