"""A server in a process of its own, and people with credentials who call it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc

from symphony.v1.access_service_pb2 import CreateTokenRequest, WhoAmIRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from tests.e2e.processes import Server
from tests.e2e.wire import Wire
from tests.server.world import Person

_OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class Place:
    """What there is on a running server, made by its first ADMIN."""

    def __init__(self, server: Server, channel: grpc.Channel) -> None:
        self.server = server
        self.admin = Person(channel, server.token)
        self.admin.user = self.admin.get(self.admin.access.WhoAmI, WhoAmIRequest()).user
        self.wire = Wire(channel, server.token)
        self._count = itertools.count(1)

    def user(self, tier: Tier.ValueType = Tier.TIER_ENTERPRISE) -> Person:
        """A new DEVELOPER with a token."""
        number = next(self._count)
        user = self.admin.get(
            self.admin.users.CreateUser,
            CreateUserRequest(
                email=f"person{number}@example.com",
                name=f"Person {number}",
                tier=tier,
                roles=[Role.ROLE_DEVELOPER],
            ),
        )
        token = self.admin.get(
            self.admin.access.CreateToken, CreateTokenRequest(user_id=user.id, name="test")
        )
        return Person(self.admin.channel, token.secret, user)

    def project(self, owner: Person) -> Project:
        request = CreateProjectRequest(name=f"project {next(self._count)}")
        made: Project = owner.get(owner.projects.CreateProject, request)
        return made

    def workflow(self, owner: Person, project: Project) -> Workflow:
        made: Workflow = owner.get(owner.workflows.CreateWorkflow, self.new_workflow(project))
        return made

    def new_workflow(self, project: Project, **step: object) -> CreateWorkflowRequest:
        """A request that is granted, unless its one step is made otherwise."""
        fields = {"name": "only", "command": "true", **step}
        return CreateWorkflowRequest(
            project_id=project.id,
            spec=WorkflowSpec(
                name=f"workflow {next(self._count)}",
                steps=[WorkflowStep(**fields)],  # type: ignore[arg-type]
            ),
        )


@contextmanager
def open_place(directory: Path, *arguments: str) -> Iterator[Place]:
    """A place for as long as a `with` block lasts, whose server must not find fault with itself."""
    with (
        Server(directory, "--dev", *arguments) as server,
        grpc.insecure_channel(server.target, _OPTIONS) as channel,
    ):
        yield Place(server, channel)
        assert server.terminate() == 0
        for sign in ("Traceback", '"fault"', '"level": "error"', '"level": "warning"'):
            assert sign not in server.log
