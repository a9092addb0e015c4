"""Who follows the feed, however often it is cut off, ends with what it may read and no more."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.extension_service_pb2 import UninstallExtensionRequest
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony.v1.user_pb2 import Role, User
from symphony.v1.user_service_pb2 import GetUserRequest, UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, UpdateWorkflowRequest
from tests.postgresql import Postgresql
from tests.server.extension_requests import manifest, new
from tests.server.follower import Replica, readable, watching
from tests.server.world import Person, World

ROLES = (
    ProjectRole.PROJECT_ROLE_VIEWER,
    ProjectRole.PROJECT_ROLE_COLLABORATOR,
    ProjectRole.PROJECT_ROLE_OWNER,
)
STEPS = 150


@dataclass
class Chaos:
    """Does one thing after another that the feed has to tell; a refusal is nothing done."""

    world: World
    people: list[Person]
    random: random.Random
    projects: list[str] = field(default_factory=list)
    creators: dict[str, Person] = field(default_factory=dict)
    workflows: list[str] = field(default_factory=list)
    executions: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)

    def act(self) -> None:
        weights: dict[Callable[[], object], int] = {
            self.add_project: 2,
            self.rename_project: 1,
            self.delete_project: 1,
            self.add_member: 5,
            self.change_member: 4,
            self.remove_member: 4,
            self.add_workflow: 6,
            self.share_workflow: 6,
            self.delete_workflow: 3,
            self.start: 4,
            self.cancel: 2,
            self.install: 2,
            self.uninstall: 1,
            self.change_roles: 2,
        }
        (action,) = self.random.choices(list(weights), list(weights.values()))
        try:
            action()
        except grpc.RpcError as refused:
            code: Any = refused
            assert code.code() not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)

    def _any(self, ids: list[str]) -> str:
        return self.random.choice(ids) if ids else ""

    def _admin(self, method: Any, request: Any) -> Any:
        return self.world.admin.get(method, request)

    def add_project(self) -> None:
        owner = self.random.choice(self.people)
        made = owner.get(owner.projects.CreateProject, CreateProjectRequest(name="P"))
        self.projects.append(made.id)
        self.creators[made.id] = owner

    def rename_project(self) -> None:
        project = Project(id=self._any(self.projects), name=f"P{self.random.random()}")
        self._admin(self.world.admin.projects.UpdateProject, UpdateProjectRequest(project=project))

    def delete_project(self) -> None:
        request = DeleteProjectRequest(id=self._any(self.projects))
        self._admin(self.world.admin.projects.DeleteProject, request)

    def _member(self) -> ProjectMember:
        return ProjectMember(
            project_id=self._any(self.projects),
            user_id=self.random.choice(self.people).id,
            role=self.random.choice(ROLES),
        )

    def add_member(self) -> None:
        member = self._member()
        request = AddProjectMemberRequest(
            project_id=member.project_id, user_id=member.user_id, role=member.role
        )
        self._admin(self.world.admin.projects.AddProjectMember, request)

    def change_member(self) -> None:
        request = UpdateProjectMemberRequest(project_member=self._member())
        self._admin(self.world.admin.projects.UpdateProjectMember, request)

    def remove_member(self) -> None:
        member = self._member()
        request = RemoveProjectMemberRequest(project_id=member.project_id, user_id=member.user_id)
        self._admin(self.world.admin.projects.RemoveProjectMember, request)

    def add_workflow(self) -> None:
        project_id = self._any(self.projects)
        someone = self.random.choice(self.people)
        owner = self.random.choice((someone, self.creators.get(project_id, someone)))
        request = self.world.new_workflow(project_id, shared=self.random.random() < 0.5)
        self.workflows.append(owner.get(owner.workflows.CreateWorkflow, request).id)

    def share_workflow(self) -> None:
        workflow = Workflow(id=self._any(self.workflows), shared=self.random.random() < 0.5)
        request = UpdateWorkflowRequest(workflow=workflow)
        request.update_mask.paths.append("shared")
        self._admin(self.world.admin.workflows.UpdateWorkflow, request)

    def delete_workflow(self) -> None:
        request = DeleteWorkflowRequest(id=self._any(self.workflows))
        self._admin(self.world.admin.workflows.DeleteWorkflow, request)

    def start(self) -> None:
        request = StartExecutionRequest(workflow_id=self._any(self.workflows))
        made = self._admin(self.world.admin.executions.StartExecution, request)
        self.executions.append(made.id)

    def cancel(self) -> None:
        request = CancelExecutionRequest(id=self._any(self.executions))
        self._admin(self.world.admin.executions.CancelExecution, request)

    def install(self) -> None:
        project = Project(id=self._any(self.projects))
        name = f"tool-{self.random.randrange(10**9):09}"
        request = new(project, manifest(name))
        made = self._admin(self.world.admin.extensions.InstallExtension, request)
        self.extensions.append(made.id)

    def uninstall(self) -> None:
        request = UninstallExtensionRequest(id=self._any(self.extensions))
        self._admin(self.world.admin.extensions.UninstallExtension, request)

    def change_roles(self) -> None:
        role = Role.ROLE_AUDITOR if self.random.random() < 0.4 else Role.ROLE_DEVELOPER
        roles = {Role.ROLE_DEVELOPER, role}
        request = UpdateUserRequest(user=User(id=self.random.choice(self.people).id, roles=roles))
        request.update_mask.paths.append("roles")
        self._admin(self.world.admin.users.UpdateUser, request)


def last_revision(world: World) -> int:
    with watching(world.admin) as call:
        return int(next(call).checkpoint.revision)


@pytest.mark.parametrize("seed", range(4))
def test_replicas_end_with_what_may_be_read(tmp_path: Path, seed: int) -> None:
    follow_all(tmp_path, "", seed)


def test_they_do_on_postgresql(tmp_path: Path, postgresql: Postgresql) -> None:
    with postgresql.migrated() as url:
        follow_all(tmp_path, url, seed=4)


def follow_all(directory: Path, database_url: str, seed: int) -> None:
    with World(directory, database_url, rate_limits=False) as world:
        chance = random.Random(seed)  # noqa: S311 - the same acts for the same seed
        people = [world.user() for _ in range(4)]
        start = last_revision(world)
        # What they can see by now is no change that comes later.
        near = [Replica(start) for _ in people]
        far = [Replica(start) for _ in people]
        for replica, person in zip([*near, *far], [*people, *people], strict=True):
            replica.resources = readable(person)
        chaos = Chaos(world, people, chance)
        for _ in range(STEPS):
            chaos.act()
            # Some are cut off all the time, the others resume once in a while, far behind.
            number = chance.randrange(len(people))
            leave_after = chance.randrange(1, 6)
            near[number].follow(people[number], last_revision(world), leave_after=leave_after)
            if chance.random() < 0.05:
                leave_after = chance.randrange(1, 40)
                far[number].follow(people[number], last_revision(world), leave_after=leave_after)

        # All see their account alone at the end unless they are AUDITOR, who list all users.
        last = last_revision(world)
        for person, *replicas in zip(people, near, far, strict=True):
            user = person.get(person.users.GetUser, GetUserRequest(id=person.id))
            truth = readable(person, lists_users=Role.ROLE_AUDITOR in user.roles)
            for replica in replicas:
                replica.follow(person, last)
                assert set(replica.resources) == set(truth)
                assert replica.resources == truth
        assert min(len(chaos.workflows), len(chaos.projects)) > 2
