from __future__ import annotations

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectConstraintsRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_pb2 import Role
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.ids import new_id
from tests.server.world import Person, World

OWNER = ProjectRole.PROJECT_ROLE_OWNER
COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER


def test_whoever_makes_a_project_is_its_owner(world: World) -> None:
    person = world.user()
    project = world.project(person, name="Mine", description="For me")
    members = person.get(
        person.projects.ListProjectMembers, ListProjectMembersRequest(project_id=project.id)
    ).members
    assert project.owner_id == person.id
    assert [(m.user_id, m.role) for m in members] == [(person.id, OWNER)]
    assert person.get(person.projects.GetProject, GetProjectRequest(id=project.id)) == project


def test_a_viewer_makes_no_project(world: World) -> None:
    person = world.user(Role.ROLE_VIEWER)
    refusal = person.refused(person.projects.CreateProject, CreateProjectRequest(name="X"))
    assert refusal.reason == "ROLE_REQUIRED"
    assert refusal.metadata["roles"] == "DEVELOPER,ADMIN"


def test_a_project_one_has_no_relation_to_looks_absent(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    for method, request in (
        (other.projects.GetProject, GetProjectRequest(id=project.id)),
        (other.projects.DeleteProject, DeleteProjectRequest(id=project.id)),
        (
            other.projects.UpdateProject,
            UpdateProjectRequest(project=Project(id=project.id, name="X")),
        ),
        (
            other.projects.ListProjectMembers,
            ListProjectMembersRequest(project_id=project.id),
        ),
        (
            other.projects.GetProjectConstraints,
            GetProjectConstraintsRequest(project_id=project.id),
        ),
    ):
        assert other.refused(method, request).code == grpc.StatusCode.NOT_FOUND


def test_a_member_reads_and_only_an_owner_changes(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner, constraints=ProjectConstraints(max_workflows=7))
    world.join(project, member, COLLABORATOR)
    update = UpdateProjectRequest(project=Project(id=project.id, name="New"))

    constraints = member.get(
        member.projects.GetProjectConstraints, GetProjectConstraintsRequest(project_id=project.id)
    )
    refusal = member.refused(member.projects.UpdateProject, update)
    changed = owner.get(owner.projects.UpdateProject, update)

    assert constraints.max_workflows == 7
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "OWNER_REQUIRED",
    )
    assert (changed.name, changed.constraints.max_workflows) == ("New", 7)


def test_a_mask_reaches_into_the_constraints(world: World) -> None:
    owner = world.user()
    project = world.project(
        owner, constraints=ProjectConstraints(max_workflows=7, max_steps_per_workflow=3)
    )
    changed = owner.get(
        owner.projects.UpdateProject,
        UpdateProjectRequest(
            project=Project(id=project.id, constraints=ProjectConstraints(max_workflows=9)),
            update_mask=FieldMask(paths=["constraints.max_workflows"]),
        ),
    )
    assert changed.constraints == ProjectConstraints(max_workflows=9, max_steps_per_workflow=3)


def test_a_project_that_holds_workflows_is_not_deleted(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    workflow = world.workflow(owner, project)

    refusal = owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))
    owner.get(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    owner.get(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))

    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RESOURCE_IN_USE",
    )
    gone = owner.refused(owner.projects.GetProject, GetProjectRequest(id=project.id))
    assert gone.code == grpc.StatusCode.NOT_FOUND


def test_a_member_is_added_once_and_must_exist(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    add = AddProjectMemberRequest(project_id=project.id, user_id=member.id, role=VIEWER)
    nobody = AddProjectMemberRequest(project_id=project.id, user_id=new_id("user"), role=VIEWER)

    made = owner.get(owner.projects.AddProjectMember, add)

    assert (made.user_id, made.role) == (member.id, VIEWER)
    assert owner.refused(owner.projects.AddProjectMember, add).reason == "ALREADY_MEMBER"
    assert owner.refused(owner.projects.AddProjectMember, nobody).reason == "RESOURCE_NOT_FOUND"


def test_a_project_always_has_an_owner(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    demote = UpdateProjectMemberRequest(
        project_member=ProjectMember(project_id=project.id, user_id=owner.id, role=VIEWER)
    )
    remove = RemoveProjectMemberRequest(project_id=project.id, user_id=owner.id)

    assert owner.refused(owner.projects.UpdateProjectMember, demote).reason == "LAST_OWNER"
    assert owner.refused(owner.projects.RemoveProjectMember, remove).reason == "LAST_OWNER"

    world.join(project, other, OWNER)
    assert owner.get(owner.projects.UpdateProjectMember, demote).role == VIEWER
    owner.refused(owner.projects.RemoveProjectMember, remove)  # no longer an owner
    other.get(other.projects.RemoveProjectMember, remove)
    assert owner.refused(owner.projects.GetProject, GetProjectRequest(id=project.id)).code == (
        grpc.StatusCode.NOT_FOUND
    )


def test_members_who_are_not_there_are_not_changed(world: World) -> None:
    owner, other = world.user(), world.user()
    project = world.project(owner)
    update = UpdateProjectMemberRequest(
        project_member=ProjectMember(project_id=project.id, user_id=other.id, role=OWNER)
    )
    remove = RemoveProjectMemberRequest(project_id=project.id, user_id=other.id)
    for method, request, field in (
        (owner.projects.UpdateProjectMember, update, "project_member.user_id"),
        (owner.projects.RemoveProjectMember, remove, "user_id"),
    ):
        refused = owner.refused(method, request)
        assert refused.code == grpc.StatusCode.NOT_FOUND
        assert refused.message.startswith(f"{field}: {other.id} is not a member")


def test_a_list_of_projects_has_those_one_is_a_member_of(world: World) -> None:
    one, other, auditor = world.user(), world.user(), world.user(Role.ROLE_AUDITOR)
    mine, shared, hidden = world.project(one), world.project(other), world.project(other)
    world.join(shared, one, VIEWER)

    def listed(person: Person) -> set[str]:
        answer = person.get(person.projects.ListProjects, ListProjectsRequest())
        return {project.id for project in answer.projects}

    assert listed(one) == {mine.id, shared.id}
    assert listed(auditor) == {mine.id, shared.id, hidden.id}
    by_owner = one.get(one.projects.ListProjects, ListProjectsRequest(owner_id=other.id))
    assert [project.id for project in by_owner.projects] == [shared.id]


def test_a_list_of_members_filters_by_role(world: World) -> None:
    owner, viewer = world.user(), world.user()
    project = world.project(owner)
    world.join(project, viewer, VIEWER)
    answer = owner.get(
        owner.projects.ListProjectMembers,
        ListProjectMembersRequest(project_id=project.id, role=VIEWER),
    )
    assert [member.user_id for member in answer.members] == [viewer.id]
