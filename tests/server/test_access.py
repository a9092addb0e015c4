from __future__ import annotations

import grpc

from symphony.v1.access_pb2 import AccessDecision, DecisionExplanation
from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    ExplainDecisionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_server.access.remedies import REMEDIES
from symphony_server.ids import new_id
from symphony_server.refusal import REASON_NAMES
from tests.server.world import Person, World


def check(
    person: Person, permission: str, resource_id: str = "", user_id: str = ""
) -> AccessDecision:
    request = CheckAccessRequest(
        user_id=user_id, checks=[AccessCheck(permission=permission, resource_id=resource_id)]
    )
    answer: AccessDecision = person.get(person.access.CheckAccess, request).decisions[0]
    return answer


def explain(person: Person, decision_id: object) -> DecisionExplanation:
    request = ExplainDecisionRequest(decision_id=str(decision_id))
    answer: DecisionExplanation = person.get(person.access.ExplainDecision, request)
    return answer


def test_a_check_says_what_a_try_would(world: World) -> None:
    owner, member, stranger = world.user(), world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, ProjectRole.PROJECT_ROLE_VIEWER)
    workflow = world.workflow(owner, project, shared=True)

    assert check(owner, "workflows.update", workflow.id).allowed
    assert check(member, "workflows.read", workflow.id).allowed
    assert check(member, "workflows.update", workflow.id).reason == "OWNER_REQUIRED"
    assert check(member, "executions.start", workflow.id).reason == "RESOURCE_ACCESS_REQUIRED"
    assert check(stranger, "workflows.update", workflow.id).reason == "RESOURCE_NOT_FOUND"
    assert check(stranger, "workflows.create", project.id).reason == "PROJECT_ACCESS_REQUIRED"
    assert check(stranger, "users.create").reason == "ROLE_REQUIRED"
    assert check(world.admin, "workflows.create", new_id("project")).reason == (
        "RESOURCE_NOT_FOUND"
    )


def test_a_check_knows_the_tiers_limit(world: World) -> None:
    free = world.user(tier=Tier.TIER_FREE)
    project = world.project(free)
    assert check(free, "workflows.create", project.id).allowed
    for _ in range(10):
        world.workflow(free, project)
    assert check(free, "workflows.create", project.id).reason == "TIER_WORKFLOW_LIMIT"


def test_hidden_and_absent_are_checked_alike(world: World) -> None:
    owner, stranger = world.user(), world.user()
    workflow = world.workflow(owner, world.project(owner))
    absent = new_id("workflow")
    hidden = check(stranger, "workflows.read", workflow.id)
    missing = check(stranger, "workflows.read", absent)
    assert hidden.description.replace(workflow.id, "ID") == missing.description.replace(
        absent, "ID"
    )
    assert hidden.reason == missing.reason


def test_only_admin_and_auditor_check_for_others(world: World) -> None:
    one, other, auditor = world.user(), world.user(), world.user(Role.ROLE_AUDITOR)
    assert check(auditor, "projects.create", user_id=one.id).allowed
    assert check(world.admin, "users.create", user_id=one.id).reason == "ROLE_REQUIRED"
    request = CheckAccessRequest(user_id=one.id, checks=[AccessCheck(permission="projects.create")])
    assert other.refused(other.access.CheckAccess, request).reason == "ROLE_REQUIRED"


def test_questions_that_make_no_sense_are_told_all_at_once(world: World) -> None:
    person = world.user()
    request = CheckAccessRequest(
        checks=[
            AccessCheck(permission="projects.create"),
            AccessCheck(permission="nothing.known"),
            AccessCheck(permission="workflows.read", resource_id=new_id("project")),
            AccessCheck(permission="workflows.read"),
        ]
    )
    refusal = person.refused(person.access.CheckAccess, request)
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {
        "checks[1].permission",
        "checks[2].resource_id",
        "checks[3].resource_id",
    }


def test_a_write_is_explained_rule_by_rule(world: World) -> None:
    owner = world.user()
    answer = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(world.project(owner).id))
    told = explain(owner, answer.decision_id)
    assert told.allowed
    assert told.method == "symphony.v1.WorkflowService/CreateWorkflow"
    assert (told.caller_id, told.resource_id) == (owner.id, answer.response.id)
    rules = [rule.rule for rule in told.rules]
    assert rules[:2] == ["role=DEVELOPER", "project>=COLLABORATOR"]
    assert {"tier.workflow_limit", "workflow.graph", "workflow.name_free"} <= set(rules)
    assert all(rule.passed and not rule.remedy for rule in told.rules)


def test_a_refusal_is_explained_with_what_would_have_to_change(world: World) -> None:
    owner, viewer = world.user(), world.user(Role.ROLE_VIEWER)
    refusal = viewer.refused(
        viewer.workflows.CreateWorkflow, world.new_workflow(world.project(owner).id)
    )
    told = explain(viewer, refusal.metadata["decision_id"])
    assert not told.allowed
    failed = {rule.reason: rule for rule in told.rules if not rule.passed}
    assert set(failed) == {"ROLE_REQUIRED", "PROJECT_ACCESS_REQUIRED"}
    assert failed["ROLE_REQUIRED"].rule == "role=DEVELOPER or role=ADMIN"
    assert "ADMIN give the user" in failed["ROLE_REQUIRED"].remedy


def test_a_broken_rule_of_the_contract_is_explained_too(world: World) -> None:
    person = world.user()
    refusal = person.refused(person.workflows.GetWorkflow, GetWorkflowRequest(id="x"))
    told = explain(person, refusal.metadata["decision_id"])
    assert [(r.rule, r.reason, r.detail) for r in told.rules] == [
        ("string.pattern", "FIELD_INVALID", "at id")
    ]


def test_a_decision_about_another_is_not_there(world: World) -> None:
    owner, other, auditor = world.user(), world.user(), world.user(Role.ROLE_AUDITOR)
    decision_id = owner.ask(
        owner.workflows.CreateWorkflow, world.new_workflow(world.project(owner).id)
    ).decision_id
    hidden = other.refused(
        other.access.ExplainDecision, ExplainDecisionRequest(decision_id=decision_id)
    )
    absent = other.refused(
        other.access.ExplainDecision, ExplainDecisionRequest(decision_id=new_id("audit"))
    )
    assert hidden.code == absent.code == grpc.StatusCode.NOT_FOUND
    assert explain(auditor, decision_id).allowed


def test_there_is_a_remedy_for_every_reason() -> None:
    assert set(REMEDIES) == {name for number, name in REASON_NAMES.items() if number}
