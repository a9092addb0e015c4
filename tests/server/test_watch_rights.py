"""A watch tells what its user comes to read as created, and what it loses as deleted."""

from __future__ import annotations

from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import DeleteProjectRequest, UpdateProjectMemberRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from tests import engines
from tests.server.follower import Replica, begun, last_revision, told, until, watching
from tests.server.rights import leave, set_roles, share
from tests.server.world import Answer, World

ENGINES = engines.ALL

OWNER = ProjectRole.PROJECT_ROLE_OWNER
COLLABORATOR = ProjectRole.PROJECT_ROLE_COLLABORATOR
VIEWER = ProjectRole.PROJECT_ROLE_VIEWER


def test_what_may_not_be_read_is_not_told_but_checkpointed(world: World) -> None:
    owner, stranger = world.user(), world.user()
    project = world.project(owner)
    with watching(stranger) as call:
        begun(call)
        made = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
        assert until(call, made.revision) == []


def test_sharing_shows_as_created_and_the_end_of_it_as_deleted(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    workflow = world.workflow(owner, project)
    run = owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id))
    start = last_revision(world)
    share(owner, workflow)
    end = share(owner, workflow, shared=False)

    with watching(owner, start) as call:
        assert told(until(call, end.revision)) == [("UPDATED", workflow.id)] * 2
    with watching(member) as call:
        begun(call)
        again = share(owner, workflow)
        gained = until(call, again.revision)
        last = share(owner, workflow, shared=False)
        lost = until(call, last.revision)
    assert told(gained) == [("CREATED", run.id), ("CREATED", workflow.id)]
    assert gained[0].execution == run
    assert [c.revision for c in gained] == [again.revision - 1, again.revision]
    assert told(lost) == [("DELETED", run.id), ("DELETED", workflow.id)]


def test_who_joins_is_told_all_and_who_leaves_loses_all_but_the_own(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    private = world.workflow(owner, project)
    shared = world.workflow(owner, project, shared=True)
    with watching(member) as call:
        start = begun(call)
        world.join(project, member, COLLABORATOR)
        joined = start + 1
        gained = until(call, joined)
        own = member.ask(member.workflows.CreateWorkflow, world.new_workflow(project.id))
        until(call, own.revision)
        lost = until(call, leave(world, project, member).revision)
    memberships = {f"{project.id}/{person.id}" for person in (owner, member)}
    assert {name for _, name in told(gained)} == {project.id, shared.id, *memberships}
    assert {operation for operation, _ in told(gained)} == {"CREATED"}
    assert told(gained)[-1] == ("CREATED", f"{project.id}/{member.id}")
    assert set(told(lost)) == {("DELETED", name) for name in (project.id, shared.id, *memberships)}
    assert private.id not in str(gained) + str(lost)
    assert own.response.id not in str(lost)


def test_a_higher_role_shows_more_and_a_lower_one_less(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    private = world.workflow(owner, project)

    def become(role: ProjectRole.ValueType) -> Answer:
        asked = ProjectMember(project_id=project.id, user_id=member.id, role=role)
        return owner.ask(
            owner.projects.UpdateProjectMember, UpdateProjectMemberRequest(project_member=asked)
        )

    membership = f"{project.id}/{member.id}"
    with watching(member) as call:
        begun(call)
        more = until(call, become(OWNER).revision)
        less = until(call, become(VIEWER).revision)
    assert told(more) == [("CREATED", private.id), ("UPDATED", membership)]
    assert told(less) == [("DELETED", private.id), ("UPDATED", membership)]


def test_who_becomes_an_auditor_is_told_everything(world: World) -> None:
    owner, person = world.user(), world.user()
    workflow = world.workflow(owner, world.project(owner))
    with watching(person) as call:
        begun(call)
        answer = set_roles(world, person, Role.ROLE_AUDITOR)
        gained = {name for _, name in told(until(call, answer.revision))}
        assert gained >= {owner.id, world.admin.id, workflow.id, workflow.project_id, person.id}
        answer = set_roles(world, person, Role.ROLE_DEVELOPER)
        lost = told(until(call, answer.revision))
    assert ("UPDATED", person.id) in lost
    assert {name for operation, name in lost if operation == "DELETED"} == gained - {person.id}


def test_a_deleted_project_goes_with_its_members(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    start = last_revision(world)
    gone = owner.ask(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))
    names = {project.id, f"{project.id}/{owner.id}", f"{project.id}/{member.id}"}
    for person in (owner, member, world.admin):
        with watching(person, start) as call:
            changes = told(until(call, gone.revision))
        assert set(changes) == {("DELETED", name) for name in names}
        assert len(changes) == len(names)


def test_who_was_away_does_not_learn_what_it_may_no_longer_read(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, COLLABORATOR)
    before = world.workflow(owner, project, shared=True)
    start = last_revision(world)
    missed = world.workflow(owner, project, shared=True)
    unshared = world.workflow(owner, project, shared=True)
    share(owner, unshared, shared=False)
    with watching(member, start) as call:
        changes = until(call, last_revision(world))
    assert unshared.id not in {name for op, name in told(changes) if op != "DELETED"}

    left = leave(world, project, member)
    with watching(member, start) as call:
        changes = until(call, left.revision)
    assert {operation for operation, _ in told(changes)} == {"DELETED"}
    assert ("DELETED", before.id) in told(changes)
    assert ("DELETED", missed.id) in told(changes)


def test_what_was_lost_and_then_deleted_is_told_as_deleted(world: World) -> None:
    owner, member = world.user(), world.user()
    project = world.project(owner)
    world.join(project, member, VIEWER)
    shared = world.workflow(owner, project, shared=True)
    run = owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=shared.id))
    replica = Replica(1)
    replica.follow(member, last_revision(world))
    assert {shared.id, run.id} <= set(replica.resources)
    share(owner, shared, shared=False)
    leave(world, project, member)
    owner.get(owner.executions.CancelExecution, CancelExecutionRequest(id=run.id))
    gone = owner.ask(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=shared.id))
    replica.follow(member, gone.revision)
    assert set(replica.resources) == {member.id}
