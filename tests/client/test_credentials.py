from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

import symphony_client
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.calls.credentials import Credentials
from symphony_client.calls.outgoing_call import OutgoingCall
from symphony_client.calls.sync_interceptor import SyncInterceptor
from symphony_client.channel_settings import ChannelSettings
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import Answer, ContractServer

TOKEN = "sym_canary0123456789"


@both_apis
def test_a_call_carries_the_token_and_the_user_it_is_made_for(
    api: Api, server: ContractServer
) -> None:
    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
        token=TOKEN,
        act_as=requests.USER_ID,
    )

    assert server.attempt.metadata["authorization"] == f"Bearer {TOKEN}"
    assert server.attempt.metadata["x-symphony-act-as"] == requests.USER_ID


@both_apis
def test_a_call_without_credentials_carries_none(api: Api, server: ContractServer) -> None:
    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
    )

    assert not {"authorization", "x-symphony-act-as"} & server.attempt.metadata.keys()


@both_apis
def test_the_metadata_of_a_call_is_kept_and_goes_before_that_of_the_channel(
    api: Api, server: ContractServer
) -> None:
    own = (("x-symphony-act-as", "user_other"), ("x-trace", "1"))

    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).GetWorkflow(
            requests.get_workflow(), metadata=own
        ),
        token=TOKEN,
        act_as=requests.USER_ID,
    )

    assert server.attempt.metadata["x-symphony-act-as"] == "user_other"
    assert server.attempt.metadata["x-trace"] == "1"
    assert server.attempt.metadata["authorization"] == f"Bearer {TOKEN}"


@both_apis
def test_methods_outside_the_contract_get_the_credentials_too(
    api: Api, server: ContractServer
) -> None:
    answer = api.call(
        server.target,
        lambda channel: channel.stream_unary("/bytes.Service/StreamUnary")(iter([b"a", b"b"])),
        token=TOKEN,
    )
    answers = api.read(
        server.target,
        lambda channel: channel.stream_stream("/bytes.Service/StreamStream")(iter([b"c"])),
        token=TOKEN,
    )

    assert (answer, answers) == (b"ab", [b"c"])
    assert [attempt.metadata["authorization"] for attempt in server.attempts] == [
        f"Bearer {TOKEN}"
    ] * 2


@both_apis
def test_the_token_is_in_no_log_and_no_error(
    api: Api, server: ContractServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(Answer(grpc.StatusCode.UNAUTHENTICATED, "no"))

    with caplog.at_level(logging.DEBUG), pytest.raises(grpc.RpcError) as caught:
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
            token=TOKEN,
        )

    data_error = symphony_client.to_data_error(caught.value)
    for text in (caplog.text, repr(caught.value), str(caught.value), repr(data_error)):
        assert "canary" not in text


def test_the_token_is_in_no_repr() -> None:
    settings = ChannelSettings(target="localhost:1", token=TOKEN)
    credentials = Credentials(token=TOKEN, act_as=None)
    call = OutgoingCall(path="/a/b", request=None, timeout_seconds=None, metadata=())
    credentials.prepare(call)

    assert ("authorization", f"Bearer {TOKEN}") in call.metadata
    for thing in (settings, credentials, call):
        assert "canary" not in repr(thing)


def test_what_is_handed_to_grpc_has_the_token_and_does_not_show_it() -> None:
    interceptor = SyncInterceptor([Credentials(token=TOKEN, act_as=None)])
    details: Any = SimpleNamespace(
        method="/a/b",
        timeout=None,
        metadata=None,
        credentials=None,
        wait_for_ready=None,
        compression=None,
    )

    handed_over = interceptor.intercept_stream_unary(
        lambda completed, _: completed, details, iter(())
    )

    assert handed_over.metadata == (("authorization", f"Bearer {TOKEN}"),)
    assert "canary" not in repr(handed_over)
    assert "canary" not in repr(interceptor)


def test_the_line_break_at_the_end_of_a_token_file_does_not_matter() -> None:
    assert ChannelSettings(target="t", token=f"{TOKEN}\n").token == TOKEN
    assert ChannelSettings(target="t", token="\n").token is None


@pytest.mark.parametrize("bad", ["sym_canary\nx", "sym_canary x", "sym_canäry", "canary" * 1000])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(bad: str) -> None:
    with pytest.raises(ValueError, match="token takes at most 4096 visible ASCII") as caught:
        symphony_client.connect("localhost:1", token=bad)

    assert "can" not in str(caught.value).replace("characters", "")
