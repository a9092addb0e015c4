"""What every write has: request_id, validate_only, trailing metadata, one audit record."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest, ListWorkflowsRequest
from symphony_server.ids import new_id
from tests import engines
from tests.server.world import Person, World, spec, step

ENGINES = engines.ALL

CREATE_WORKFLOW = "symphony.v1.WorkflowService/CreateWorkflow"


def workflows_of(person: Person) -> list[str]:
    answer = person.get(person.workflows.ListWorkflows, ListWorkflowsRequest())
    return [workflow.id for workflow in answer.workflows]


def test_a_retry_gets_the_first_answer_and_has_no_second_effect(world: World) -> None:
    owner = world.user()
    request = world.new_workflow(world.project(owner).id, request_id="once")

    first = owner.ask(owner.workflows.CreateWorkflow, request)
    second = owner.ask(owner.workflows.CreateWorkflow, request)

    assert first.response == second.response
    assert first.trailing == second.trailing
    assert first.trailing["x-request-id"] == "once"
    assert workflows_of(owner) == [first.response.id]
    assert len(world.audit(lambda r: r.method == CREATE_WORKFLOW)) == 1


def test_a_hundred_retries_at_once_make_one_workflow_and_equal_answers(world: World) -> None:
    owner = world.user()
    request = world.new_workflow(world.project(owner).id, request_id="once")
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: owner.ask(owner.workflows.CreateWorkflow, request), range(100))
        )
    assert all(answer == answers[0] for answer in answers)
    assert len(workflows_of(owner)) == 1


def test_a_request_id_is_good_for_one_request_of_one_caller(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    world.workflow(owner, project, request_id="mine")

    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(project.id, request_id="mine")
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    assert world.project(other, request_id="mine").id


def test_a_refused_request_id_may_be_tried_again(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    bad = world.new_workflow(project.id, spec=spec("W", step("a", "a")), request_id="r")
    owner.refused(owner.workflows.CreateWorkflow, bad)
    assert world.workflow(owner, project, spec=spec("W"), request_id="r").id


def test_validate_only_answers_as_if_and_writes_only_the_record(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    answer = owner.ask(
        owner.workflows.CreateWorkflow,
        world.new_workflow(project.id, spec=spec("Dry"), validate_only=True),
    )
    assert answer.response.spec.name == "Dry"
    assert "x-symphony-revision" not in answer.trailing
    assert workflows_of(owner) == []
    record = world.audit(lambda r: r.id == answer.decision_id)[0]
    assert record.outcome == AuditOutcome.AUDIT_OUTCOME_VALIDATED
    assert world.workflow(owner, project, spec=spec("Dry")).id


def test_validate_only_tells_what_every_stage_finds(world: World) -> None:
    free = world.user(tier=Tier.TIER_FREE)
    project = world.project(free, constraints=ProjectConstraints(max_steps_per_workflow=1))
    for n in range(10):
        world.workflow(free, project, spec=spec(f"Taken {n}"))
    refusal = free.refused(
        free.workflows.CreateWorkflow,
        world.new_workflow(project.id, spec=spec("taken 0", step("a", "a"), step("b"))),
    )
    assert refusal.reason == "TIER_WORKFLOW_LIMIT"
    refusal = free.refused(
        free.workflows.CreateWorkflow,
        world.new_workflow(
            project.id, spec=spec("taken 0", step("a", "a"), step("b")), validate_only=True
        ),
    )
    for said in ("10 are owned", "depends on itself", "allows 1 step", "is taken"):
        assert said in refusal.message


def test_validate_only_tells_whoever_may_not_about_the_request_and_not_about_the_project(
    world: World,
) -> None:
    owner, viewer = world.user(), world.user(Role.ROLE_VIEWER)
    project = world.project(owner, constraints=ProjectConstraints(max_steps_per_workflow=1))
    world.workflow(owner, project, spec=spec("Taken"))
    wrong = spec("taken", step("a", "a"), step("b"))
    told = {
        viewer.refused(
            viewer.workflows.CreateWorkflow,
            world.new_workflow(project_id, spec=wrong, validate_only=True),
        ).message
        for project_id in (project.id, new_id("project"))
    }
    (message,) = told
    for said in ("role DEVELOPER", "COLLABORATOR", "depends on itself"):
        assert said in message
    assert "is taken" not in message


def test_revisions_rise_with_every_write(world: World) -> None:
    owner = world.user()
    revisions = [
        owner.ask(owner.projects.CreateProject, CreateProjectRequest(name=name)).revision
        for name in ("a", "b", "c")
    ]
    assert revisions == sorted(set(revisions))


def test_a_write_leaves_one_record_that_says_who_did_what(world: World) -> None:
    owner = world.user()
    request = world.new_workflow(world.project(owner).id, request_id="r1")
    answer = owner.ask(owner.workflows.CreateWorkflow, request)
    records = world.audit(lambda r: r.method == CREATE_WORKFLOW)

    assert len(records) == 1
    record = records[0]
    assert record.id == record.decision_id == answer.decision_id
    assert record.outcome == AuditOutcome.AUDIT_OUTCOME_ALLOWED
    assert (record.caller_id, record.user_id) == (owner.id, owner.id)
    assert record.resource_id == answer.response.id
    assert record.request_id == "r1"
    assert record.revision == answer.revision
    assert b"+role=DEVELOPER" in record.evaluation


def test_every_refusal_leaves_one_record_that_the_answer_names(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    workflow = world.workflow(owner, project)
    before = len(world.audit())
    refusals = [
        other.refused(other.workflows.GetWorkflow, GetWorkflowRequest(id=workflow.id)),
        other.refused(other.workflows.GetWorkflow, GetWorkflowRequest(id=new_id("workflow"))),
        other.refused(other.workflows.GetWorkflow, GetWorkflowRequest(id="nonsense")),
        other.refused(other.workflows.CreateWorkflow, world.new_workflow(project.id)),
        world.stranger.refused(world.stranger.projects.ListProjects, ListProjectsRequest()),
    ]
    records = world.audit()[before:]
    assert [r.id for r in records] == [refusal.metadata["decision_id"] for refusal in refusals]
    assert [r.id for r in records] == [r.trailing["x-symphony-decision-id"] for r in refusals]
    assert [r.reason for r in records] == [
        "RESOURCE_NOT_FOUND",
        "RESOURCE_NOT_FOUND",
        "FIELD_INVALID",
        "PROJECT_ACCESS_REQUIRED",
        "CREDENTIALS_MISSING",
    ]
    assert all(r.outcome == AuditOutcome.AUDIT_OUTCOME_DENIED for r in records)


def test_an_allowed_read_leaves_no_record(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    before = len(world.audit())
    owner.get(owner.workflows.GetWorkflow, GetWorkflowRequest(id=workflow.id))
    assert len(world.audit()) == before


def test_a_flood_of_bad_credentials_becomes_few_records_with_a_count(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        nobody = world.stranger
        started = time.monotonic()
        for _ in range(50):
            nobody.refused(nobody.projects.ListProjects, ListProjectsRequest())
        seconds = time.monotonic() - started
    # What was counted in the last second is recorded on the way out.
    records = world.audit(lambda r: r.reason == "CREDENTIALS_MISSING")
    assert sum(record.count for record in records) == 50
    # One at the beginning of each second and one with the count of the rest at its end.
    assert len(records) <= 2 * (int(seconds) + 1)


def test_sequences_have_no_gaps(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    for n in range(5):
        world.workflow(owner, project)
        owner.refused(owner.workflows.CreateWorkflow, world.new_workflow("x"))
        world.workflow(owner, project, validate_only=True, spec=spec(f"dry {n}"))
    sequences = [record.sequence for record in world.audit()]
    assert sequences == list(range(1, len(sequences) + 1))
