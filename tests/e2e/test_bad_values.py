"""Values that the contract does not take get a clear canonical error."""

from __future__ import annotations

import base64

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_service_pb2 import CreateTokenRequest, ExplainDecisionRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    GetWorkflowRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    UpdateWorkflowRequest,
)
from tests.e2e.bad_input import CREATE, GET, LIST, UPDATE, invalid, refused
from tests.e2e.place import Place


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
