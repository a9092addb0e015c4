"""Bad input of any kind gets a clear canonical error: never UNKNOWN, never INTERNAL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor

from symphony.v1.user_pb2 import Tier
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, ListWorkflowsRequest
from symphony_server.ids import KINDS, new_id
from symphony_server.refusal import REASON_CODES, REASON_NAMES
from symphony_server.rpc.methods import Method, read_methods
from symphony_server.rpc.services import ENDPOINTS
from tests.server.world import Person, World, read_refusal

METHODS = read_methods()
CREATE = "symphony.v1.WorkflowService/CreateWorkflow"
CODES = {REASON_NAMES[number]: code for number, code in REASON_CODES.items()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory: Path = tmp_path_factory.mktemp("bad-input")
    with World(directory) as made:
        yield made


def send(person: Person, method: str, body: bytes) -> tuple[grpc.StatusCode, str]:
    """Send bytes; the code and reason of the answer, checked against the contract."""
    call: Any = person.channel.unary_unary(f"/{method}")
    try:
        call(body, metadata=person.metadata(), timeout=20)
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        assert refusal.code.value[0] == CODES[refusal.reason], refusal
        assert refusal.code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), refusal
        assert refusal.message
        assert refusal.metadata["request_id"]
        return refusal.code, refusal.reason
    return grpc.StatusCode.OK, ""


def invalid(person: Person, body: bytes, method: str = CREATE) -> None:
    assert send(person, method, body) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


def good() -> bytes:
    return CreateWorkflowRequest(
        project_id=new_id("project"),
        spec=WorkflowSpec(name="W", steps=[WorkflowStep(name="a", command="x")]),
    ).SerializeToString()


BYTES = {
    "noise": b"\xff\xfe\xfd",
    "a cut length": b"\x0a\x7f",
    "bad UTF-8 in a string": b"\x0a\x02\xc3\x28",
    "a surrogate in UTF-8": b"\x0a\x03\xed\xa0\x80",
    "a wrong wire type": b"\x08\x01",
    "a group that never ends": b"\x0b",
    "field number zero": b"\x00\x00",
    "an endless varint": b"\x60" + b"\xff" * 11,
    "an unknown field": b"\xfa\x3f\x01x",
    "an unknown field further in": b"\x52\x05\xfa\x3f\x02xx",
    "nothing": b"",
    "zeros": b"\x00" * 1000,
}


@pytest.mark.parametrize("what", sorted(BYTES))
def test_bytes_that_are_no_request_are_refused(world: World, what: str) -> None:
    invalid(world.admin, BYTES[what])


def test_an_unknown_field_is_named_with_its_path(world: World) -> None:
    call: Any = world.admin.channel.unary_unary(f"/{CREATE}")
    with pytest.raises(grpc.RpcError) as caught:
        call(good() + b"\xfa\x3f\x01x", metadata=world.admin.metadata(), timeout=20)
    assert read_refusal(caught.value).fields == {"1023": "request.unknown_field"}


def test_large_requests_are_refused(world: World) -> None:
    five = CreateWorkflowRequest(request_id="x" * 5_000_000).SerializeToString()
    invalid(world.admin, five)
    call: Any = world.admin.channel.unary_unary(f"/{CREATE}")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"x" * 9_000_000, metadata=world.admin.metadata(), timeout=20)
    error: Any = caught.value
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_no_message_at_all_is_told_what_is_missing(world: World) -> None:
    call: Any = world.admin.channel.stream_unary(f"/{CREATE}")
    with pytest.raises(grpc.RpcError) as caught:
        call(iter(()), metadata=world.admin.metadata(), timeout=20)
    refusal = read_refusal(caught.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(refusal.fields) == {"project_id", "spec"}


def test_what_is_not_there_is_unimplemented(world: World) -> None:
    unserved = sorted(set(METHODS) - set(ENDPOINTS))
    for method in (*unserved, "symphony.v1.WorkflowService/Nothing", "x.Y/Z"):
        call: Any = world.admin.channel.unary_unary(f"/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", metadata=world.admin.metadata(), timeout=20)
        error: Any = caught.value
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_large_metadata_is_a_canonical_error(world: World) -> None:
    for size in (1000, 7000, 12_000, 40_000):
        person = Person(world.admin.channel, "a" * size)
        with pytest.raises(grpc.RpcError) as caught:
            person.get(person.workflows.ListWorkflows, ListWorkflowsRequest())
        error: Any = caught.value
        assert error.code() in (
            grpc.StatusCode.UNAUTHENTICATED,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        )


class Generator:
    """Requests made from the descriptors: mostly odd, sometimes plausible."""

    TEXTS = ("", " ", "x", "\x00", "é" * 200, "a" * 5000, "‮", "%s{}$(id)", "\ud7ff")

    def __init__(self, seed: int, known: list[str]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same requests every time
        self._known = known

    def request(self, method: Method) -> bytes:
        message = method.request_class()
        self._fill(message, depth=0)
        body: bytes = message.SerializeToString()
        if self._random.random() < 0.1 and body:
            at = self._random.randrange(len(body))
            body = body[:at] + bytes([self._random.randrange(256)]) + body[at + 1 :]
        return body

    def _fill(self, message: Any, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.3:
                continue
            if field.is_repeated:
                target = getattr(message, field.name)
                for _ in range(self._random.choice((1, 1, 2, 70))):
                    if field.message_type is None:
                        target.append(self._value(field))
                    elif depth < 4:
                        self._fill(target.add(), depth + 1)
            elif field.message_type is not None:
                if depth < 4:
                    getattr(message, field.name).SetInParent()
                    self._fill(getattr(message, field.name), depth + 1)
            else:
                setattr(message, field.name, self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        choose = self._random.choice
        kinds = FieldDescriptor
        if field.cpp_type == kinds.CPPTYPE_STRING:
            if field.type == kinds.TYPE_BYTES:
                return choose((b"", b"\xff", b"x" * 1000))
            if field.name == "id" or field.name.endswith("_id"):
                return choose((*self._known, new_id(choose(KINDS)), "nonsense"))
            return choose((*self.TEXTS, "name", "tier", "spec.name", "a@b", "workflows.create"))
        if field.cpp_type == kinds.CPPTYPE_ENUM:
            return choose((0, 1, 2, 3, 99, -1))
        if field.cpp_type == kinds.CPPTYPE_BOOL:
            return choose((True, False))
        if field.cpp_type in (kinds.CPPTYPE_INT64, kinds.CPPTYPE_UINT64):
            return choose((0, 1, -1, 2**63 - 1, -(2**63), 253402300800))
        if field.cpp_type in (kinds.CPPTYPE_INT32, kinds.CPPTYPE_UINT32):
            return choose((0, 1, -1, 2**31 - 1, -(2**31), 1001))
        return 0


@pytest.mark.parametrize("method", sorted(ENDPOINTS))
def test_odd_requests_end_in_an_answer_or_a_canonical_error(world: World, method: str) -> None:
    owner = world.user(tier=Tier.TIER_PRO)
    project = world.project(owner)
    workflow = world.workflow(owner, project)
    known = [owner.id, project.id, workflow.id]
    generator = Generator(sorted(ENDPOINTS).index(method), known)
    for _ in range(40):
        body = generator.request(METHODS[method])
        for person in (owner, world.admin):
            send(person, method, body)
