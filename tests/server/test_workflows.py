from __future__ import annotations

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.project_pb2 import ProjectConstraints, ProjectRole
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.workflow_pb2 import Workflow, WorkflowCost, WorkflowSpec, WorkflowStatus
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    UpdateWorkflowRequest,
)
from symphony_server.ids import new_id
from tests import engines
from tests.server.world import World, spec, step

ENGINES = engines.ALL

COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER


def test_a_new_workflow_is_the_callers_and_its_estimate_is_completed(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    made = world.workflow(
        owner, project, spec=spec("Build", step("a"), step("b", "a"), step("c", "a"))
    )
    assert (made.project_id, made.user_id) == (project.id, owner.id)
    assert made.status == WorkflowStatus.WORKFLOW_STATUS_CREATED
    assert made.estimated_cost.compute_units == 30
    assert made.estimated_cost.estimated_duration.seconds == 10  # two of three in a row
    assert owner.get(owner.workflows.GetWorkflow, GetWorkflowRequest(id=made.id)) == made


def test_the_seeds_one_step_workflow_costs_ten_units_and_five_seconds(world: World) -> None:
    owner = world.user()
    made = world.workflow(
        owner,
        world.project(owner),
        spec=spec("Contract Test Workflow", step("step1", command="echo test")),
        estimated_cost=WorkflowCost(compute_units=10, estimated_duration=Duration(seconds=5)),
    )
    assert made.estimated_cost.compute_units == 10
    assert made.estimated_cost.estimated_duration.ToMilliseconds() == 5000


def test_what_is_wrong_with_a_graph_comes_all_at_once(world: World) -> None:
    owner = world.user()
    request = world.new_workflow(
        world.project(owner).id,
        spec=spec("G", step("a", "b"), step("b", "a"), step("c", "c"), step("d", "x"), step("d")),
        estimated_cost=WorkflowCost(estimated_duration=Duration(seconds=1)),
    )
    refusal = owner.refused(owner.workflows.CreateWorkflow, request)
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields.values()) >= {
        "STEP_DEPENDENCY_CYCLE",
        "STEP_DEPENDENCY_SELF",
        "STEP_DEPENDENCY_UNKNOWN",
        "STEP_NAME_DUPLICATE",
    }
    assert "a -> b -> a" in refusal.message


def test_an_estimate_below_the_critical_path_is_refused(world: World) -> None:
    owner = world.user()
    request = world.new_workflow(
        world.project(owner).id,
        spec=spec("G", step("a"), step("b", "a")),
        estimated_cost=WorkflowCost(estimated_duration=Duration(seconds=9)),
    )
    refusal = owner.refused(owner.workflows.CreateWorkflow, request)
    assert refusal.reason == "ESTIMATE_BELOW_CRITICAL_PATH"
    assert refusal.metadata["critical_path_seconds"] == "10"


def test_names_are_unique_in_a_project_without_regard_to_case_and_width(world: World) -> None:
    owner = world.user()
    project, other = world.project(owner), world.project(owner)
    world.workflow(owner, project, spec=spec("Straße"))

    refusal = owner.refused(
        owner.workflows.CreateWorkflow,
        world.new_workflow(project.id, spec=spec("ＳＴＲＡＳＳＥ")),  # noqa: RUF001
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "DUPLICATE_NAME")
    assert world.workflow(owner, other, spec=spec("Straße")).id


@pytest.mark.parametrize("relation", [None, VIEWER])
def test_a_workflow_needs_a_collaborator(
    world: World, relation: ProjectRole.ValueType | None
) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    if relation is not None:
        world.join(project, other, relation)
    refusal = other.refused(other.workflows.CreateWorkflow, world.new_workflow(project.id))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PROJECT_ACCESS_REQUIRED",
    )


def test_a_project_of_others_and_none_at_all_are_refused_alike(world: World) -> None:
    owner, other = world.user(), world.user()
    project_id, absent = world.project(owner).id, new_id("project")
    create = other.workflows.CreateWorkflow
    hidden = other.refused(create, world.new_workflow(project_id, spec=spec("W")))
    missing = other.refused(create, world.new_workflow(absent, spec=spec("W")))
    assert hidden.message == missing.message
    assert hidden.reason == missing.reason == "PROJECT_ACCESS_REQUIRED"
    admin = world.admin
    told = admin.refused(admin.workflows.CreateWorkflow, world.new_workflow(absent))
    assert told.code == grpc.StatusCode.NOT_FOUND


def test_a_viewer_who_is_a_stranger_hears_both_that_a_role_and_a_relation_lack(
    world: World,
) -> None:
    owner, viewer = world.user(), world.user(Role.ROLE_VIEWER)
    refusal = viewer.refused(
        viewer.workflows.CreateWorkflow, world.new_workflow(world.project(owner).id)
    )
    assert refusal.reason == "ROLE_REQUIRED"
    assert "DEVELOPER" in refusal.message
    assert "COLLABORATOR" in refusal.message


def test_the_eleventh_workflow_of_a_free_user_is_refused_and_a_deleted_one_makes_room(
    world: World,
) -> None:
    free = world.user(tier=Tier.TIER_FREE)
    project = world.project(free)
    made = [world.workflow(free, project) for _ in range(10)]

    refusal = free.refused(free.workflows.CreateWorkflow, world.new_workflow(project.id))
    free.get(free.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=made[0].id))

    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TIER_WORKFLOW_LIMIT",
    )
    assert refusal.metadata["limit"] == "10"
    assert refusal.details["QuotaFailure"].violations[0].subject == f"user:{free.id}"
    assert world.workflow(free, project).id


def test_a_tier_and_a_project_limit_steps_and_duration(world: World) -> None:
    free = world.user(tier=Tier.TIER_FREE)
    project = world.project(
        free,
        constraints=ProjectConstraints(
            max_steps_per_workflow=2, max_estimated_duration=Duration(seconds=60)
        ),
    )
    slow = step("slow", estimated_duration=Duration(seconds=601))
    steps = [slow, *(step(f"s{n}") for n in range(10))]
    refusal = free.refused(
        free.workflows.CreateWorkflow, world.new_workflow(project.id, spec=spec("Big", *steps))
    )
    assert refusal.code == grpc.StatusCode.FAILED_PRECONDITION
    assert {v.type for v in refusal.details["PreconditionFailure"].violations} == {
        "TIER_STEP_LIMIT",
        "TIER_DURATION_LIMIT",
        "PROJECT_STEP_LIMIT",
        "PROJECT_DURATION_LIMIT",
    }


def test_a_project_limits_how_many_workflows_it_holds(world: World) -> None:
    owner = world.user()
    project = world.project(owner, constraints=ProjectConstraints(max_workflows=1))
    world.workflow(owner, project)
    refusal = owner.refused(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
    assert refusal.reason == "PROJECT_WORKFLOW_LIMIT"
    assert refusal.metadata["limit"] == "1"


def test_a_step_may_not_use_an_extension_that_is_not_installed(world: World) -> None:
    owner = world.user()
    steps = spec("E", step("a", extension_id=new_id("extension")))
    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(world.project(owner).id, spec=steps)
    )
    assert refusal.reason == "EXTENSION_NOT_INSTALLED"


def test_who_reads_a_workflow_depends_on_whether_it_is_shared(world: World) -> None:
    owner, member, stranger = world.user(), world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    private, shared = world.workflow(owner, project), world.workflow(owner, project, shared=True)

    assert member.get(member.workflows.GetWorkflow, GetWorkflowRequest(id=shared.id)) == shared
    for person, workflow in ((member, private), (stranger, shared), (stranger, private)):
        refusal = person.refused(person.workflows.GetWorkflow, GetWorkflowRequest(id=workflow.id))
        assert refusal.code == grpc.StatusCode.NOT_FOUND


def test_only_owners_change_a_workflow_that_others_read(world: World) -> None:
    project_owner, author, member = world.user(), world.user(), world.user()
    project = world.project(project_owner)
    world.join(project, author, COLLABORATOR)
    world.join(project, member, COLLABORATOR)
    workflow = world.workflow(author, project, shared=True)
    archive = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow.id, status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED),
        update_mask=FieldMask(paths=["status"]),
    )
    refusal = member.refused(member.workflows.UpdateWorkflow, archive)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "OWNER_REQUIRED",
    )
    changed = project_owner.get(project_owner.workflows.UpdateWorkflow, archive)
    assert changed.status == WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
    assert changed.spec == workflow.spec
    assert changed.user_id == author.id


def test_a_mask_of_a_name_needs_no_steps_and_judges_the_name(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))

    def rename(name: str) -> UpdateWorkflowRequest:
        return UpdateWorkflowRequest(
            workflow=Workflow(id=workflow.id, spec=WorkflowSpec(name=name)),
            update_mask=FieldMask(paths=["spec.name"]),
        )

    changed = owner.get(owner.workflows.UpdateWorkflow, rename("Renamed"))
    refusal = owner.refused(owner.workflows.UpdateWorkflow, rename(" "))

    assert changed.spec.name == "Renamed"
    assert changed.spec.steps == workflow.spec.steps
    assert refusal.fields == {"workflow.spec.name": "string.pattern"}


def test_a_mask_of_the_steps_judges_every_step(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    request = UpdateWorkflowRequest(
        workflow=Workflow(
            id=workflow.id, spec=WorkflowSpec(steps=[step("a"), step("b", command="")])
        ),
        update_mask=FieldMask(paths=["spec.steps"]),
    )
    refusal = owner.refused(owner.workflows.UpdateWorkflow, request)
    assert refusal.fields == {"workflow.spec.steps[1].command": "string.min_len"}


def test_changed_steps_are_judged_and_their_estimate_computed_again(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))

    def steps(*new: object) -> UpdateWorkflowRequest:
        return UpdateWorkflowRequest(
            workflow=Workflow(id=workflow.id, spec=WorkflowSpec(steps=new)),  # type: ignore[arg-type]
            update_mask=FieldMask(paths=["spec.steps"]),
        )

    changed = owner.get(owner.workflows.UpdateWorkflow, steps(step("a"), step("b", "a")))
    refusal = owner.refused(owner.workflows.UpdateWorkflow, steps(step("a", "a")))

    assert changed.estimated_cost.compute_units == 20
    assert changed.estimated_cost.estimated_duration.seconds == 10
    assert refusal.reason == "STEP_DEPENDENCY_SELF"
    assert refusal.fields == {"workflow.spec.steps[0].depends_on[0]": "STEP_DEPENDENCY_SELF"}


def test_a_workflow_may_keep_its_name_and_may_not_take_anothers(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    one, other = world.workflow(owner, project), world.workflow(owner, project)

    def rename(name: str) -> UpdateWorkflowRequest:
        return UpdateWorkflowRequest(
            workflow=Workflow(id=one.id, spec=WorkflowSpec(name=name)),
            update_mask=FieldMask(paths=["spec.name"]),
        )

    assert owner.get(owner.workflows.UpdateWorkflow, rename(one.spec.name.upper()))
    refusal = owner.refused(owner.workflows.UpdateWorkflow, rename(other.spec.name))
    assert refusal.reason == "DUPLICATE_NAME"


def test_a_stale_etag_is_told_with_the_current_one(world: World) -> None:
    owner = world.user()
    workflow = world.workflow(owner, world.project(owner))
    share = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow.id, shared=True, etag=workflow.etag),
        update_mask=FieldMask(paths=["shared"]),
    )
    current = owner.get(owner.workflows.UpdateWorkflow, share)
    refusal = owner.refused(owner.workflows.UpdateWorkflow, share)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert refusal.metadata["etag"] == current.etag


def test_the_owner_in_a_request_is_the_caller_or_nobody(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    assert world.workflow(owner, project, user_id=owner.id).user_id == owner.id
    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(project.id, user_id=other.id)
    )
    assert refusal.reason == "ACT_AS_NOT_ALLOWED"


def test_a_chosen_id_is_used_once(world: World) -> None:
    owner = world.user()
    project, chosen = world.project(owner), new_id("workflow")
    assert world.workflow(owner, project, workflow_id=chosen).id == chosen
    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(project.id, workflow_id=chosen)
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ID_TAKEN")


def test_the_counters_that_limits_are_held_against_equal_the_rows(world: World) -> None:
    one, other = world.user(), world.user()
    projects = [world.project(one), world.project(one)]
    for project in projects:
        world.join(project, other, COLLABORATOR)
    made = [
        (person, world.workflow(person, project))
        for person in (one, other, one)
        for project in projects
    ]
    for person, workflow in made[::2]:
        person.get(person.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    one.refused(one.workflows.CreateWorkflow, world.new_workflow("x"))
    dry = world.new_workflow(projects[0].id, validate_only=True)
    one.get(one.workflows.CreateWorkflow, dry)

    wrong = world.query(
        "SELECT id FROM users WHERE workflows_owned"
        " != (SELECT count(*) FROM workflows WHERE user_id = users.id)"
        " UNION SELECT id FROM projects WHERE workflow_count"
        " != (SELECT count(*) FROM workflows WHERE project_id = projects.id)"
    )
    assert wrong == []
