"""Bytes that are no request, or too many, get a clear canonical error, and nobody else minds."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest, WhoAmIRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, UpdateWorkflowRequest
from tests.e2e.bad_input import CREATE, GET, UPDATE, WHO_AM_I, invalid, refused
from tests.e2e.place import Place
from tests.e2e.wire import TIMEOUT_SECONDS

MALFORMED = {
    "noise": b"\xff\xfe\xfd",
    "a text shorter than it says": b"\x0a\x7fworkflow",
    "bad UTF-8": b"\x0a\x02\xc3\x28",
    "a lone surrogate": b"\x0a\x03\xed\xa0\x80",
    "UTF-8 that is longer than needed": b"\x0a\x02\xc0\x80",
    "a group that never ends": b"\x0b",
    "a group that never began": b"\x0c",
    "a number that never ends": b"\x60" + b"\xff" * 11,
    "a wire type that does not exist": b"\x0e",
    "nesting deeper than 100": b"\x0b" * 101 + b"\x0c" * 101,
    "zeros": b"\x00" * 1000,
}


@pytest.mark.parametrize("what", list(MALFORMED))
def test_bytes_that_do_not_decode_are_told_as_such(place: Place, what: str) -> None:
    refusal = refused(place, CREATE, MALFORMED[what])
    assert refusal.reason == "FIELD_INVALID"
    assert "the bytes are not a symphony.v1.CreateWorkflowRequest" in refusal.message
    assert refusal.fields == {"": "request.malformed"}


def test_every_part_of_a_request_is_refused_or_a_request(place: Place) -> None:
    """A connection that breaks may leave any beginning of a message."""
    user = place.user()
    project = place.project(user)
    whole = place.new_workflow(project, command="é")
    whole.validate_only = True
    body = whole.SerializeToString()
    assert place.wire.send(CREATE, body) is None
    for length in range(len(body)):
        place.wire.send(CREATE, body[:length])


UNKNOWN = {
    "a number that the contract does not have": (b"\xf8\x3f\x01", "1023"),
    "a wrong wire type": (b"\x08\x01", "1"),
    "one further in": (b"\x52\x04\xf8\x3f\x01\x00"[:-1].replace(b"\x04", b"\x03", 1), "spec.1023"),
    "one in the second step": (b"\x52\x07\x1a\x00\x1a\x03\xf8\x3f\x01", "spec.steps[1].1023"),
}


@pytest.mark.parametrize("what", list(UNKNOWN))
def test_an_unknown_field_is_named_with_its_path(place: Place, what: str) -> None:
    extra, path = UNKNOWN[what]
    project = place.project(place.user())
    good = CreateWorkflowRequest(project_id=project.id).SerializeToString()
    assert invalid(place, CREATE, good + extra) == {path: "request.unknown_field"}


def test_a_request_of_five_mebibytes_is_told_what_is_taken(place: Place) -> None:
    refusal = refused(place, CREATE, b"\x0a" * 5 * 2**20)
    assert refusal.fields == {"": "request.max_bytes"}
    assert str(5 * 2**20) in refusal.message
    assert str(4 * 2**20) in refusal.message


def test_a_request_of_nine_mebibytes_is_cut_off(place: Place) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        place.wire.answer(CREATE, b"\x0a" * 9 * 2**20)
    error: Any = caught.value
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("size", [1_000, 7_000, 12_000, 40_000, 1_000_000])
def test_metadata_of_any_size_is_refused_canonically(place: Place, size: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        place.wire.answer(WHO_AM_I, b"", (("authorization", "Bearer " + "a" * size),))
    error: Any = caught.value
    small, large = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.code() in ((small,) if size <= 7_000 else (small, large))


MANY = 100_000
"""Mistakes in one request: far fewer bytes than are taken."""
MISTAKES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "roles": (
        "symphony.v1.UserService/CreateUser",
        lambda: CreateUserRequest(
            email="a@b",
            name="x",
            roles=[99] * MANY,  # type: ignore[list-item]
        ).SerializeToString(),
    ),
    "questions": (
        "symphony.v1.AccessService/CheckAccess",
        lambda: CheckAccessRequest(checks=[AccessCheck()] * MANY).SerializeToString(),
    ),
    "dependencies": (
        "symphony.v1.TransactionService/ExecuteTransaction",
        lambda: ExecuteTransactionRequest(
            operations=[
                TransactionOperation(
                    create_workflow=CreateWorkflowRequest(
                        spec=WorkflowSpec(
                            name="x", steps=[WorkflowStep(depends_on=[""] * 64)] * 1000
                        )
                    )
                )
            ]
            * 2
        ).SerializeToString(),
    ),
    "unknown fields": (GET, lambda: b"\xf8\x3f\x01" * (13 * MANY)),
    "paths": (
        UPDATE,
        lambda: UpdateWorkflowRequest(
            workflow=Workflow(id="workflow_01jz8r4t5vfxh8m0q2n3p4s5t6"),
            update_mask=FieldMask(paths=[f"x{n}" for n in range(MANY)]),
        ).SerializeToString(),
    ),
}


@pytest.mark.parametrize("what", list(MISTAKES))
def test_a_hundred_thousand_mistakes_do_not_hold_everybody_up(place: Place, what: str) -> None:
    method, make = MISTAKES[what]
    body = make()
    bad = place.wire.begin(method, body)
    # An order of magnitude: it is taken for a stuck server when others wait so long.
    while not bad.done():
        place.wire.answer(WHO_AM_I, b"", timeout_seconds=5)
    assert bad.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\x00" * 10_000,
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000],
    ids=["HTTP/1.1", "TLS", "zeros", "HTTP/2 and then noise"],
)  # fmt: skip
def test_what_is_not_grpc_is_hung_up_on_and_nobody_else_minds(place: Place, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", place.server.port), TIMEOUT_SECONDS) as line:
        line.sendall(said)
        while hears(line):
            pass
    me = place.user(Tier.TIER_FREE)
    assert me.get(me.access.WhoAmI, WhoAmIRequest()).user.id == me.id


def hears(line: socket.socket) -> bool:
    """True as long as something is said; a line that is cut may also be reset."""
    try:
        return bool(line.recv(4096))
    except ConnectionResetError:
        return False
