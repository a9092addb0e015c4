"""Bad input of any kind gets a clear canonical error: never UNKNOWN, never INTERNAL."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    CreateTokenRequest,
    ExplainDecisionRequest,
    WhoAmIRequest,
)
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    UpdateWorkflowRequest,
)
from tests.e2e.place import Place, open_place
from tests.e2e.wire import TIMEOUT_SECONDS, Metadata
from tests.server.world import Refusal

CREATE = "symphony.v1.WorkflowService/CreateWorkflow"
GET = "symphony.v1.WorkflowService/GetWorkflow"
UPDATE = "symphony.v1.WorkflowService/UpdateWorkflow"
LIST = "symphony.v1.WorkflowService/ListWorkflows"
WHO_AM_I = "symphony.v1.AccessService/WhoAmI"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("bad-input")) as made:
        yield made


def refused(place: Place, method: str, request: Any) -> Refusal:
    body = request if isinstance(request, bytes) else request.SerializeToString()
    refusal = place.wire.send(method, body)
    assert refusal is not None, "it was allowed"
    return refusal


def invalid(place: Place, method: str, request: Any) -> dict[str, str]:
    """Field → rule, of a request that breaks the contract's rules."""
    refusal = refused(place, method, request)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    return refusal.fields


# --- bytes ---------------------------------------------------------------------------------------

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


# --- sizes ---------------------------------------------------------------------------------------


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


# --- credentials ---------------------------------------------------------------------------------

MISSING: list[Metadata] = [(), (("authorization-bin", b"Bearer x"),), (("cookie", "sym_x"),)]
NONE_ALG = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "none"}, {"sub": "admin@localhost"})
)
WRONG = (
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Basic eDp5",
    "Bearer sym_",
    f"Bearer {NONE_ALG}.",
    "x" * 900,
)


@pytest.mark.parametrize("metadata", MISSING, ids=["nothing", "bytes", "another key"])
def test_no_credentials_are_told_apart_from_wrong_ones(place: Place, metadata: Metadata) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", metadata)
    assert refusal is not None
    assert refusal.reason == "CREDENTIALS_MISSING"


@pytest.mark.parametrize("value", WRONG)
def test_garbage_for_credentials_is_refused(place: Place, value: str) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", (("authorization", value),))
    assert refusal is not None
    assert refusal.reason == "CREDENTIALS_INVALID"


def test_a_credential_that_is_nearly_right_is_refused(place: Place) -> None:
    right = place.wire.token
    flipped = right[:20] + ("a" if right[20] != "a" else "b") + right[21:]
    for wrong in (right[:-1], right + "x", right.swapcase(), f"{right} {right}", flipped):
        refusal = place.wire.send(WHO_AM_I, b"", (("authorization", f"Bearer {wrong}"),))
        assert refusal is not None
        assert refusal.reason == "CREDENTIALS_INVALID"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("x-symphony-act-as", "", "FIELD_INVALID"),
        ("x-symphony-act-as", "root", "FIELD_INVALID"),
        ("x-symphony-act-as", "user_01jz8r4t5vfxh8m0q2n3p4s5t6", "ACT_AS_NOT_ALLOWED"),
        ("x-symphony-act-as-bin", b"\xff\x00", "ACT_AS_NOT_ALLOWED"),
        ("x-symphony-user-id", "user_01jz8r4t5vfxh8m0q2n3p4s5t6", "ACT_AS_NOT_ALLOWED"),
    ],
)
def test_metadata_that_claims_to_be_somebody_is_refused(
    place: Place, key: str, value: str | bytes, reason: str
) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", (*place.wire.credentials, (key, value)))
    assert refusal is not None
    assert refusal.reason == reason


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [-1, 1001, 2**31 - 1, -(2**31)])
def test_a_page_size_out_of_range_is_named(place: Place, size: int) -> None:
    assert set(invalid(place, LIST, ListWorkflowsRequest(page_size=size))) == {"page_size"}


@pytest.mark.parametrize("units", [-1, 2**63 - 1, -(2**63)])
def test_compute_units_out_of_range_are_named(place: Place, units: int) -> None:
    request = place.new_workflow(place.project(place.user()), compute_units=units)
    request.estimated_cost.compute_units = units
    assert set(invalid(place, CREATE, request)) == {
        "spec.steps[0].compute_units",
        "estimated_cost.compute_units",
    }


SPANS = {
    "negative": (-1, 0),
    "a little negative": (0, -1),
    "longer than allowed": (315_576_000, 1),
    "the largest number": (2**63 - 1, 0),
    "the smallest number": (-(2**63), 0),
    "of two minds": (5, -5),
    "a second of nanoseconds": (0, 1_000_000_000),
    "the most nanoseconds": (1, 2**31 - 1),
    "the fewest nanoseconds": (5, -(2**31)),
}
"""(seconds, nanos) that are no Duration of 0 to 10 years: duration.proto wants nanos below a
second and of the seconds' sign. JSON has no way to write the last four."""


@pytest.mark.parametrize("what", list(SPANS))
def test_a_duration_that_is_none_is_refused(place: Place, what: str) -> None:
    seconds, nanos = SPANS[what]
    duration = Duration(seconds=seconds, nanos=nanos)
    request = place.new_workflow(place.project(place.user()), estimated_duration=duration)
    assert set(invalid(place, CREATE, request)) == {"spec.steps[0].estimated_duration"}


MOMENTS = {
    "before 1970": (-1, 0),
    "a little before 1970": (0, -1),
    "after 9999": (253_402_300_800, 0),
    "the largest number": (2**63 - 1, 0),
    "the smallest number": (-(2**63), 0),
    "negative nanoseconds": (5_000_000_000, -5),
    "a second of nanoseconds": (5_000_000_000, 1_000_000_000),
    "the most nanoseconds": (5_000_000_000, 2**31 - 1),
}
"""(seconds, nanos) that are no Timestamp from 1970 to 9999: timestamp.proto wants 0 to
999,999,999 nanos."""


@pytest.mark.parametrize("what", list(MOMENTS))
def test_a_time_that_is_none_is_refused(place: Place, what: str) -> None:
    seconds, nanos = MOMENTS[what]
    time = Timestamp(seconds=seconds, nanos=nanos)
    listing = ListWorkflowsRequest(create_time_after=time, create_time_before=time)
    assert set(invalid(place, LIST, listing)) == {"create_time_after", "create_time_before"}
    token = CreateTokenRequest(name="t", expire_time=time)
    made = invalid(place, "symphony.v1.AccessService/CreateToken", token)
    assert set(made) == {"expire_time"}


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "a\nb", "\x7f", "\x85", " ", "\u3000", ""])
def test_a_name_that_nobody_can_see_is_refused(place: Place, name: str) -> None:
    request = CreateProjectRequest(name=name)
    assert set(invalid(place, "symphony.v1.ProjectService/CreateProject", request)) == {"name"}


def test_a_text_with_a_character_that_ends_texts_elsewhere_is_refused(place: Place) -> None:
    owner = place.user()
    request = place.new_workflow(place.project(owner), command="a\x00b")
    request.spec.description = "\x00"
    request.spec.steps[0].depends_on.extend(["fine", "\x00"])
    refusal = owner.refused(owner.workflows.CreateWorkflow, request)
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == {
        "spec.description": "string.nul",
        "spec.steps[0].command": "string.nul",
        "spec.steps[0].depends_on[1]": "string.nul",
    }
    assert "U+0000" in refusal.message


@pytest.mark.parametrize("text", ["a\x01b", "\ud7ff\ue000", "\U0010ffff", "\u202etxt", "\ufeff"])
def test_a_text_of_any_characters_comes_back_as_it_was(place: Place, text: str) -> None:
    owner = place.user()
    request = place.new_workflow(place.project(owner), command=text)
    request.spec.description = text
    made = owner.get(owner.workflows.CreateWorkflow, request)
    got = owner.get(owner.workflows.GetWorkflow, GetWorkflowRequest(id=made.id))
    assert (got.spec.description, got.spec.steps[0].command) == (text, text)


@pytest.mark.parametrize("request_id", ["é", "\x00", "a b", "\u202e", "x" * 65, "x" * 20_000])
def test_a_request_id_that_metadata_cannot_carry_is_refused(place: Place, request_id: str) -> None:
    owner = place.user()
    request = CreateProjectRequest(name="P", request_id=request_id)
    refusal = owner.refused(owner.projects.CreateProject, request)
    assert set(refusal.fields) == {"request_id"}
    projects = owner.get(owner.projects.ListProjects, ListProjectsRequest()).projects
    assert not projects


def test_an_order_that_there_is_not_is_answered_with_those_there_are(place: Place) -> None:
    refusal = refused(place, LIST, ListWorkflowsRequest(order_by="secret" * 700))
    assert set(refusal.fields) == {"order_by"}
    assert "'create_time desc'" in refusal.message
    assert "secret" not in refusal.message


@pytest.mark.parametrize(
    "paths",
    [["nope"], [""], ["."], ["spec..name"], ["spec.steps.name"], ["spec.steps[0].name"],
     ["id"], ["etag"], ["*", "spec"], ["x" * 100_000], ["é\x01"], ["shared", "nope"]],
)  # fmt: skip
def test_a_mask_of_junk_is_refused(place: Place, paths: list[str]) -> None:
    owner = place.user()
    workflow = place.workflow(owner, place.project(owner))
    request = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow.id, spec=workflow.spec, shared=True),
        update_mask=FieldMask(paths=paths),
    )
    assert refused(place, UPDATE, request).reason == "UPDATE_MASK_INVALID"


def test_a_forged_page_token_is_refused(place: Place) -> None:
    owner, other = place.user(), place.user()
    project = place.project(owner)
    for _ in range(2):
        place.workflow(owner, project)
    query = ListWorkflowsRequest(project_id=project.id, page_size=1)
    first: ListWorkflowsResponse = owner.get(owner.workflows.ListWorkflows, query)
    token = first.next_page_token

    raw = base64.urlsafe_b64decode(token)
    altered = [raw[:n] + bytes([raw[n] ^ 1]) + raw[n + 1 :] for n in range(len(raw))]
    forged = [base64.urlsafe_b64encode(one).decode() for one in (*altered, raw[:-1], raw + b"x")]
    for wrong in (*forged, token[:-1], token + "A", "%%%", "é", "\x01", " ", "A" * 1024):
        query.page_token = wrong
        refusal = owner.refused(owner.workflows.ListWorkflows, query)
        assert refusal.reason == "PAGE_TOKEN_INVALID"
    query.page_token = token
    stolen = other.refused(other.workflows.ListWorkflows, query)
    assert stolen.reason == "PAGE_TOKEN_INVALID"
    assert len(owner.get(owner.workflows.ListWorkflows, query).workflows) == 1


def test_an_id_of_every_other_kind_is_refused(place: Place) -> None:
    suffix = "01jz8r4t5vfxh8m0q2n3p4s5t6"
    for wrong in ("", "x", suffix, f"workflow_{suffix}x", f"WORKFLOW_{suffix}", f"user_{suffix}"):
        assert set(invalid(place, GET, GetWorkflowRequest(id=wrong))) == {"id"}
    absent = GetWorkflowRequest(id=f"workflow_{suffix}")
    assert refused(place, GET, absent).reason == "RESOURCE_NOT_FOUND"
    explain = ExplainDecisionRequest(decision_id="audit_" + suffix)
    method = "symphony.v1.AccessService/ExplainDecision"
    assert refused(place, method, explain).reason == "RESOURCE_NOT_FOUND"


# --- what is not gRPC at all ---------------------------------------------------------------------


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
