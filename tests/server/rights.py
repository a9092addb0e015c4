"""Changes of who may read what."""

from __future__ import annotations

from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import RemoveProjectMemberRequest
from symphony.v1.user_pb2 import Role, User
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
from tests.server.world import Answer, Person, World


def share(owner: Person, workflow: Workflow, *, shared: bool = True) -> Answer:
    # False is no value to an empty mask, so the mask names it.
    request = UpdateWorkflowRequest(workflow=Workflow(id=workflow.id, shared=shared))
    request.update_mask.paths.append("shared")
    return owner.ask(owner.workflows.UpdateWorkflow, request)


def leave(world: World, project: Project, person: Person) -> Answer:
    request = RemoveProjectMemberRequest(project_id=project.id, user_id=person.id)
    return world.admin.ask(world.admin.projects.RemoveProjectMember, request)


def set_roles(world: World, person: Person, *roles: Role.ValueType) -> Answer:
    request = UpdateUserRequest(user=User(id=person.id, roles=roles))
    request.update_mask.paths.append("roles")
    return world.admin.ask(world.admin.users.UpdateUser, request)
