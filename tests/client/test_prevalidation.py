from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, cast

import grpc
import protovalidate
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status
from protobuf import Oneof

import symphony_client
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client import prevalidation
from symphony_client.errors import PreValidationFailed, ValidationFailed, Violation
from symphony_client.prevalidation import ContractRules
from symphony_client.prevalidation.stats import StatsRecorder
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import ContractServer


def violations(request: Message) -> list[tuple[str, str]]:
    """The fields and rules for which the contract refuses `request`."""
    try:
        ContractRules(recorder=StatsRecorder()).should_attempt_request(request)
    except PreValidationFailed as refusal:
        return [(violation.field, violation.rule) for violation in refusal.violations]
    return []


def test_a_good_request_may_be_sent() -> None:
    assert violations(requests.create_workflow()) == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (requests.malformed_workflow(), [("spec.steps[3].command", "string.min_len")]),
        (GetWorkflowRequest(id="project_1"), [("id", "string.pattern")]),
        (
            requests.create_workflow(name=" "),
            [("spec.name", "string.pattern")],
        ),
        (
            requests.create_workflow(*[requests.step(str(n)) for n in range(1001)]),
            [("spec.steps", "repeated.max_items")],
        ),
        (
            ExecuteTransactionRequest(
                operations=[
                    TransactionOperation(),
                    TransactionOperation(create_workflow=requests.malformed_workflow()),
                ]
            ),
            [
                ("operations[0].operation", "required"),
                ("operations[1].create_workflow.spec.steps[3].command", "string.min_len"),
            ],
        ),
    ],
    ids=["empty command", "wrong id", "blank name", "too many steps", "transaction"],
)
def test_a_bad_request_is_refused_for_each_field_and_rule(
    request_: Message, expected: list[tuple[str, str]]
) -> None:
    assert violations(request_) == expected


def test_all_violations_come_together() -> None:
    request = requests.create_workflow(requests.step("", ""), name="x" * 129)

    assert violations(request) == [
        ("spec.name", "string.max_len"),
        ("spec.steps[0].name", "string.min_len"),
        ("spec.steps[0].command", "string.min_len"),
    ]


def test_a_request_of_4_mib_may_be_sent_and_one_byte_more_may_not() -> None:
    request = requests.workflow_of_bytes(4 * 1024 * 1024)
    assert request.ByteSize() == 4 * 1024 * 1024
    assert violations(request) == []

    request.spec.description += "x"

    assert violations(request) == [("", "request.max_bytes")]


class UndecidedValidator:
    """Stands for protovalidate before a rule that it cannot judge."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def collect_violations(self, _: Message) -> list[protovalidate.Violation]:
        raise self._error


@pytest.mark.parametrize(
    "error", [protovalidate.CompilationError("no"), protovalidate.EvaluationError("no")]
)
def test_what_cannot_be_judged_is_left_to_the_server(error: Exception) -> None:
    undecided = UndecidedValidator(error)
    rules = ContractRules(
        validator=undecided,  # type: ignore[arg-type] # a stand-in
        recorder=StatsRecorder(),
    )

    rules.should_attempt_request(requests.malformed_workflow())


def test_a_path_through_a_map_shows_its_key() -> None:
    class MapValidator:
        def collect_violations(self, _: Message) -> list[protovalidate.Violation]:
            key: Oneof[Literal["string_key"], str] = Oneof(field="string_key", value='a"b')
            labels = protovalidate.FieldPathElementPb(field_name="labels", subscript=key)
            return [
                protovalidate.Violation(
                    field=protovalidate.FieldPathPb(elements=[labels]), rule_id="r", message="m"
                )
            ]

    rules = ContractRules(
        validator=MapValidator(),  # type: ignore[arg-type] # a stand-in
        recorder=StatsRecorder(),
    )
    with pytest.raises(PreValidationFailed) as caught:
        rules.should_attempt_request(requests.get_workflow())

    assert caught.value.violations[0].field == 'labels["a\\"b"]'


@both_apis
def test_a_bad_request_never_reaches_the_server(api: Api, server: ContractServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).CreateWorkflow(
                requests.malformed_workflow()
            ),
        )

    assert server.attempts == []
    assert isinstance(caught.value, grpc.aio.AioRpcError)
    assert isinstance(caught.value, PreValidationFailed)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "spec.steps[3].command: must be at least 1 characters"
    assert caught.value.violations == (
        Violation(
            field="spec.steps[3].command",
            rule="string.min_len",
            description="must be at least 1 characters",
        ),
    )


@both_apis
def test_a_bad_stream_request_never_reaches_the_server(api: Api, server: ContractServer) -> None:
    with pytest.raises(PreValidationFailed, match="start_revision"):
        api.read(
            server.target,
            lambda channel: ChangeServiceStub(channel).Watch(WatchRequest(start_revision=-1)),
        )

    assert server.attempts == []


@both_apis
def test_what_is_too_large_with_its_request_id_never_reaches_the_server(
    api: Api, server: ContractServer
) -> None:
    with pytest.raises(PreValidationFailed, match="4194304 at most"):
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).CreateWorkflow(
                requests.workflow_of_bytes(4 * 1024 * 1024)
            ),
        )

    assert server.attempts == []


def test_the_refusal_has_the_rich_status_that_the_server_would_send() -> None:
    refusal = PreValidationFailed([Violation(field="id", rule="string.pattern", description="no")])

    status = rpc_status.from_call(cast(grpc.Call, refusal))

    info, fields = ErrorInfo(), BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(fields)
    assert (info.reason, info.domain) == ("FIELD_INVALID", "symphony.v1")
    (violation,) = fields.field_violations
    assert (violation.field, violation.reason) == ("id", "string.pattern")
    assert violation.description == "no"


def test_the_refusal_is_read_like_the_servers_whatever_code_reads_it() -> None:
    refusal = PreValidationFailed([Violation(field="id", rule="string.pattern", description="no")])

    assert isinstance(refusal, ValidationFailed)
    assert symphony_client.to_data_error(refusal) is refusal
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.initial_metadata()) == []
    assert str(refusal) == "id: no"
    assert repr(refusal) == "PreValidationFailed('id: no', reason='FIELD_INVALID')"


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda refusal: pickle.loads(pickle.dumps(refusal))],  # noqa: S301 # our own
    ids=["deepcopy", "pickle"],
)
def test_the_refusal_survives_being_copied(copied: type) -> None:
    refusal = PreValidationFailed([Violation(field="id", rule="string.pattern", description="no")])

    twin = copied(refusal)

    assert twin.violations == refusal.violations
    assert twin.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(twin) == str(refusal)


def test_a_long_list_of_violations_is_spelled_out_only_at_the_beginning() -> None:
    refusal = PreValidationFailed([Violation(description=f"no {n}") for n in range(23)])

    assert str(refusal).startswith("23 things are wrong: no 0; no 1; ")
    assert str(refusal).endswith("no 19; and 3 more")
    assert len(refusal.violations) == 23


@both_apis
@pytest.mark.parametrize("how", ["parameter", "environment"])
def test_switched_off_it_leaves_the_refusing_to_the_server(
    api: Api, server: ContractServer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "environment":
        monkeypatch.setenv("SYMPHONY_PREVALIDATION", "off")

    api.call(
        server.target,
        lambda channel: WorkflowServiceStub(channel).CreateWorkflow(requests.malformed_workflow()),
        prevalidation=how == "environment",
    )

    assert server.attempt.request.spec == requests.malformed_workflow().spec


@pytest.mark.parametrize("value", ["", "on", " ON "])
def test_the_environment_may_say_that_it_is_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_PREVALIDATION", value)

    assert prevalidation.is_switched_on()


def test_a_bad_value_in_the_environment_is_named_with_what_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMPHONY_PREVALIDATION", "maybe")

    with pytest.raises(ValueError, match="SYMPHONY_PREVALIDATION takes on or off, not 'maybe'"):
        symphony_client.connect("localhost:1")


def test_what_was_checked_and_refused_is_counted_and_timed_by_kind() -> None:
    recorder = StatsRecorder()
    rules = ContractRules(recorder=recorder)
    nothing = recorder.read()

    rules.should_attempt_request(requests.create_workflow())
    rules.should_attempt_request(requests.get_workflow())
    with pytest.raises(PreValidationFailed):
        rules.should_attempt_request(requests.malformed_workflow())

    stats = recorder.read()
    assert (nothing.checked, nothing.longest_seconds) == (0, 0.0)
    assert (stats.checked, stats.refused) == (3, 1)
    creates = stats.by_request["CreateWorkflowRequest"]
    assert (creates.checked, creates.refused) == (2, 1)
    assert stats.by_request["GetWorkflowRequest"].refused == 0
    assert 0 < creates.longest_seconds <= creates.total_seconds < stats.total_seconds


def test_the_process_counts_what_its_channels_check(server: ContractServer) -> None:
    before = prevalidation.stats().checked

    with symphony_client.connect(server.target) as channel:
        WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow())

    assert prevalidation.stats().checked == before + 1


def test_many_threads_may_check_and_count_at_once() -> None:
    recorder = StatsRecorder()
    rules = ContractRules(recorder=recorder)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(rules.should_attempt_request, [requests.create_workflow()] * 800))

    assert recorder.read().checked == 800


def test_a_request_that_is_no_message_is_left_to_grpc_to_refuse(server: ContractServer) -> None:
    with symphony_client.connect(server.target) as channel, pytest.raises(grpc.RpcError) as caught:
        WorkflowServiceStub(channel).GetWorkflow("nonsense")  # type: ignore[arg-type]

    assert isinstance(
        symphony_client.to_data_error(caught.value), symphony_client.errors.SerializationError
    )
