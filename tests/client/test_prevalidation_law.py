"""The law of pre-validation, on requests made from the descriptors: whatever it refuses the server
refuses too, for the same fields and rules; what it lets pass keeps every rule of the contract.

`SYMPHONY_LAW_REQUESTS=100000 .venv/bin/pytest tests/client/test_prevalidation_law.py` asks for
that many requests, and for others every time.
"""

from __future__ import annotations

import operator
import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from time import thread_time
from typing import Any, Final

import grpc
import protovalidate
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import DecodeError, Message
from hypothesis import HealthCheck, Phase, given, settings

import symphony_client
from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    MANIFEST_FORMAT_UNSPECIFIED,
    ManifestFormat,
)
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, UpdateWorkflowRequest
from symphony_client.contract_methods import ContractMethod, contract_methods
from symphony_client.errors import DataError, PreValidationFailed, ValidationFailed
from symphony_client.prevalidation import ContractRules, ExtensionPreValidator
from symphony_client.prevalidation.stats import StatsRecorder
from tests.client import requests
from tests.client.spoiled_requests import spoiled
from tests.e2e.odd_requests import odd_requests
from tests.e2e.wire import REASONS, Wire
from tests.server.world import Person, Refusal, World, read_refusal

METHODS: Final = sorted(contract_methods().values(), key=lambda method: method.path)
ASKED_FOR: Final = os.environ.get("SYMPHONY_LAW_REQUESTS", "")
EACH: Final = int(ASKED_FOR or 3000) // len(METHODS) + 1
UNARY: Final = [method for method in METHODS if not method.answers_with_stream]
NAME: Final = operator.attrgetter("name")
IN_FLIGHT: Final = 32
SPOILED: Final = 7
"""So many more requests are made of one, at least."""
MANY: Final = 1001

BEYOND_THE_CONTRACT: Final = {
    "time.nanos": "google.protobuf's own definition of its times",
    "request.unknown_field": "fields that are not in the contract",
    "transaction.operation": "what a transaction says for all its operations",
    "timestamp.gt_now": "the server's clock",
    "string.nul": "what no database need keep: looked for only where another rule is broken",
}
"""The rules of the structure that no annotation can state, and what they are about."""

Told = list[tuple[str, str]]
"""Fields and rules, in order."""


@dataclass(frozen=True)
class Scene:
    """A server with somebody who calls it, and ids of what is there."""

    world: World
    caller: Person
    known: Sequence[str]

    @property
    def wire(self) -> Wire:
        """Where bytes are sent without pre-validation."""
        return Wire(self.caller.channel, str(self.caller.secret))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with World(tmp_path_factory.mktemp("law"), rate_limits=False) as world:
        caller, member = world.user(), world.user()
        project = world.project(caller)
        workflow = world.workflow(caller, project)
        execution = caller.get(
            caller.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
        )
        token = member.get(member.access.CreateToken, CreateTokenRequest(name="spare")).token
        # Not the caller's own, so that no request ends what lets it call.
        yield Scene(world, caller, [member.id, project.id, workflow.id, execution.id, token.id])


def descriptor(method: ContractMethod) -> MethodDescriptor:
    return Default().FindMethodByName(f"{method.service}.{method.name}")


def some_requests(method: ContractMethod, known: Sequence[str], count: int) -> list[Any]:
    """Requests of a method, nearly right, and more of each of them with something spoiled."""
    request_class = message_factory.GetMessageClass(descriptor(method).input_type)
    found: list[Any] = []

    @settings(
        max_examples=count // (1 + SPOILED) + 1,
        derandomize=not ASKED_FOR,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=odd_requests(request_class, known))
    def collect(body: bytes) -> None:
        try:
            found.append(request_class.FromString(body))
        except DecodeError:
            return  # no message of any client

    collect()
    chance = random.Random(None if ASKED_FOR else 1)  # noqa: S311 # no secret
    return found + [spoiled(chance.choice(found), chance) for _ in range(count - len(found))]


def told_before(request: Message) -> Told:
    """What pre-validation refuses the request for, whether the rules are compiled or not."""
    told = refused_for(request, ContractRules(recorder=StatsRecorder()))
    uncompiled = ContractRules(validator=protovalidate_alone(), recorder=StatsRecorder())
    assert refused_for(request, uncompiled) == told, request
    return told


def refused_for(request: Message, rules: ContractRules) -> Told:
    try:
        rules.should_attempt_request(request)
    except PreValidationFailed as refusal:
        return [(violation.field, violation.rule) for violation in refusal.violations]
    return []


@cache
def protovalidate_alone() -> protovalidate.Validator:
    return protovalidate.Validator()


def told_by_server(refusal: Refusal) -> tuple[Told, int]:
    """What the server names, and how much it says there is."""
    fields = refusal.details["BadRequest"].field_violations
    total = re.match(r"(\d+) things are wrong: ", refusal.message)
    return [(one.field, one.reason) for one in fields], int(total[1]) if total else len(fields)


def answers(wire: Wire, method: ContractMethod, bodies: Sequence[bytes]) -> list[Refusal | None]:
    """The refusals of requests that are sent as they are, many at once; None of an answer."""
    found = []
    for start in range(0, len(bodies), IN_FLIGHT):
        calls = [wire.begin(method.path[1:], body) for body in bodies[start : start + IN_FLIGHT]]
        for call in calls:
            error = call.exception()
            found.append(None if error is None else read_refusal(error))
    return found


def keep_the_law(request: Message, told: Told, refusal: Refusal | None) -> None:
    """What this file is about, for one request and what the server says to it."""
    if told:
        assert refusal is not None, (request, told)
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT, (request, told, refusal)
        assert refusal.reason == "FIELD_INVALID"
        named, total = told_by_server(refusal)
        # The server says more, after the rest; and names some 20 of many, by what fits.
        assert named[: len(told)] == told[: len(named)], request
        assert total >= len(told), request
        assert len(named) >= len(told) or len(named) < total, request
    elif refusal is not None and refusal.reason == "FIELD_INVALID":
        for field, rule in told_by_server(refusal)[0]:
            # What is a reason itself was judged later, and is told along.
            known = rule in BEYOND_THE_CONTRACT or rule in REASONS
            assert known or is_for_the_mask(request, field), (field, rule)


def is_for_the_mask(request: Message, field: str) -> bool:
    """Whether it is a part of an update, of which the mask says what is judged and needed."""
    [operation] = re.findall(r"(?:operations\[\d+\]\.update_\w+\.)?(.*)", field)[:1]
    of_update = operation != field or "update_mask" in request.DESCRIPTOR.fields_by_name
    return of_update and "." in operation


@pytest.mark.timeout(60 + EACH)
@pytest.mark.parametrize("method", UNARY, ids=NAME)
def test_what_is_refused_before_a_call_the_server_refuses_alike(
    scene: Scene, method: ContractMethod
) -> None:
    made = some_requests(method, scene.known, EACH)
    told = [told_before(request) for request in made]

    refusals = answers(scene.wire, method, [request.SerializeToString() for request in made])

    for request, before, refusal in zip(made, told, refusals, strict=True):
        keep_the_law(request, before, refusal)
    assert any(told) is bool(descriptor(method).input_type.fields)
    print(f"{len(made)} requests, {sum(map(bool, told))} of them refused")  # for pytest -rP


@pytest.mark.timeout(60 + EACH)
def test_a_watch_that_is_refused_before_the_call_the_server_refuses_alike(scene: Scene) -> None:
    [method] = [method for method in METHODS if method.answers_with_stream]
    made = some_requests(method, scene.known, EACH)
    refused = [(request, told) for request in made if (told := told_before(request))]
    assert refused

    for request, told in refused:
        with pytest.raises(grpc.RpcError) as caught:
            next(
                scene.caller.changes.Watch(
                    request, metadata=tuple(scene.caller.metadata()), timeout=20
                )
            )
        keep_the_law(request, told, read_refusal(caught.value))


def many_roles() -> Message:
    return CreateUserRequest(email="a", name="", roles=[Role.ROLE_VIEWER] * 100_000)


def many_faults_in_64_kib() -> Message:
    return requests.create_workflow(*(requests.step("", "") for _ in range(1000)), name=" ")


def many_faults_beyond_64_kib() -> Message:
    return requests.create_workflow(*(requests.step("", "x" * 100) for _ in range(1000)), name=" ")


def a_long_list_in_an_update(workflow_id: str = "x") -> Message:
    steps = [requests.step()] * MANY
    return UpdateWorkflowRequest(
        workflow=Workflow(id=workflow_id, spec=WorkflowSpec(steps=steps)),
        update_mask=FieldMask(paths=["shared"]),
    )


def long_lists_in_operations() -> Message:
    operation = TransactionOperation(
        create_workflow=requests.create_workflow(*[requests.step("", "")] * MANY)
    )
    return ExecuteTransactionRequest(operations=[operation] * 30, request_id=" ")


def an_unknown_field_beside_a_fault() -> Message:
    return GetWorkflowRequest.FromString(
        GetWorkflowRequest(id="x").SerializeToString() + b"\x78\x01"
    )


@pytest.mark.parametrize(
    ("make", "method"),
    [
        (many_roles, "UserService/CreateUser"),
        (many_faults_in_64_kib, "WorkflowService/CreateWorkflow"),
        (many_faults_beyond_64_kib, "WorkflowService/CreateWorkflow"),
        (a_long_list_in_an_update, "WorkflowService/UpdateWorkflow"),
        (long_lists_in_operations, "TransactionService/ExecuteTransaction"),
        (an_unknown_field_beside_a_fault, "WorkflowService/GetWorkflow"),
        (lambda: requests.workflow_of_bytes(2**22 + 1), "WorkflowService/CreateWorkflow"),
    ],
    ids=[
        *("long list", "many faults", "many faults in much", "long list in an update"),
        *("long lists in operations", "unknown field", "too large"),
    ],
)
def test_very_wrong_requests_are_refused_alike_and_soon(
    scene: Scene, make: Callable[[], Message], method: str
) -> None:
    request = make()
    start = thread_time()

    told = told_before(request)

    assert thread_time() - start < 2  # an order of magnitude: it was 8 s for the long list
    [refusal] = answers(
        scene.wire, contract_methods()[f"/symphony.v1.{method}"], [request.SerializeToString()]
    )
    assert refusal is not None
    keep_the_law(request, told, refusal)


def test_a_long_list_that_the_mask_leaves_out_is_let_pass(scene: Scene) -> None:
    request = a_long_list_in_an_update(requests.WORKFLOW_ID)

    assert told_before(request) == []
    [refusal] = answers(
        scene.wire,
        contract_methods()["/symphony.v1.WorkflowService/UpdateWorkflow"],
        [request.SerializeToString()],
    )
    assert refusal is not None
    assert refusal.reason == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("manifest", "manifest_format"),
    [
        ("", MANIFEST_FORMAT_JSON),
        (" " * (256 * 1024 + 1), MANIFEST_FORMAT_JSON),
        ("[" * 100_000, MANIFEST_FORMAT_JSON),
        ('{"name": "lint"', MANIFEST_FORMAT_UNSPECIFIED),
        ("name = lint", MANIFEST_FORMAT_TOML),
    ],
    ids=["empty", "too large", "too deep", "broken JSON", "broken TOML"],
)
def test_a_manifest_is_refused_alike(
    scene: Scene, manifest: str, manifest_format: ManifestFormat.ValueType
) -> None:
    project = scene.world.project(scene.caller)  # its own: the generated requests change the known
    request = InstallExtensionRequest(
        project_id=project.id, manifest=manifest, manifest_format=manifest_format
    )

    with pytest.raises(PreValidationFailed) as caught:
        ExtensionPreValidator().should_attempt_request(request)

    refusal = scene.caller.refused(scene.caller.extensions.InstallExtension, request)
    assert refusal.code is caught.value.code()
    assert told_by_server(refusal)[0] == [
        (violation.field, violation.rule) for violation in caught.value.violations
    ]


def ended(channel: grpc.Channel, method: ContractMethod, request: Message) -> DataError | None:
    """How a call through the client's channel ends."""
    call: Any = channel.unary_unary(
        method.path,
        request_serializer=lambda message: message.SerializeToString(),
    )
    try:
        call(request)
    except grpc.RpcError as error:
        return symphony_client.to_data_error(error)
    return None


@pytest.mark.parametrize("method", UNARY, ids=NAME)
def test_without_pre_validation_callers_see_the_same(scene: Scene, method: ContractMethod) -> None:
    target, token = scene.world.server.target, scene.caller.secret
    with (
        symphony_client.connect(target, token=token) as checked,
        symphony_client.connect(target, token=token, prevalidation=False) as unchecked,
    ):
        for request in some_requests(method, scene.known, 8):
            if method.writes:
                request.validate_only = True  # so that nothing is different the second time
            with_it, without_it = (ended(each, method, request) for each in (checked, unchecked))
            assert type(without_it) is (
                ValidationFailed if isinstance(with_it, PreValidationFailed) else type(with_it)
            )
            if with_it is None or without_it is None:
                continue
            assert with_it.status.status_code is without_it.status.status_code
            assert with_it.reason == without_it.reason
            told, told_by_call = (
                [(violation.field, violation.rule) for violation in error.violations]
                for error in (with_it, without_it)
            )
            assert told_by_call[: len(told)] == told[: len(told_by_call)]
