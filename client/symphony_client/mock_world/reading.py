"""What is read: resources by id, lists, and what follows from them."""

from __future__ import annotations

from typing import Any, Final

from symphony.v1.access_service_pb2 import WhoAmIRequest, WhoAmIResponse
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.project_service_pb2 import GetProjectConstraintsRequest, ListProjectMembersRequest
from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.user_service_pb2 import GetUserByEmailRequest, GetUserCapabilitiesRequest
from symphony_client.mock_world.checks import found, not_found, user_by_email
from symphony_client.mock_world.refusals import Refused
from symphony_client.mock_world.world import World
from symphony_client.resources.kinds import PROJECT, PROJECT_MEMBER, USER, WORKFLOW, Kind

_MAX_STEPS: Final = 1000
"""The contract's `max_items` of a workflow's steps."""


def get(kind: Kind, world: World, _user_id: str, request: Any) -> Any:
    """The resource of a kind with the id."""
    return found(world, kind, request.id)


def list_page(kind: Kind, world: World, _user_id: str, request: Any) -> Any:
    """A page of the resources of a kind, whoever asks."""
    return world.table.page(kind, request)


def list_project_members(world: World, _user_id: str, request: ListProjectMembersRequest) -> Any:
    """A page of a project's members."""
    found(world, PROJECT, request.project_id, field="project_id")
    return world.table.page(PROJECT_MEMBER, request)


def get_user_by_email(world: World, _user_id: str, request: GetUserByEmailRequest) -> User:
    """The user with the address, in whatever case."""
    user: User | None = user_by_email(world, request.email)
    if user is None:
        said = "there is no user with this address"
        raise Refused(not_found(USER, said, request.email, "email"))
    return user


def get_user_capabilities(
    world: World, _user_id: str, request: GetUserCapabilitiesRequest
) -> UserCapabilities:
    """What was set for the user; by default everything, since nothing is limited here."""
    user = found(world, USER, request.user_id, field="user_id")
    capabilities = UserCapabilities(
        tier=user.tier,
        can_create_workflows=True,
        can_install_extensions=True,
        workflows_used=len(world.where(WORKFLOW, user_id=user.id)),
        max_workflow_steps=_MAX_STEPS,
    )
    if user.id in world.capabilities:
        capabilities.CopyFrom(world.capabilities[user.id])
    capabilities.user_id = user.id
    return capabilities


def get_project_constraints(
    world: World, _user_id: str, request: GetProjectConstraintsRequest
) -> ProjectConstraints:
    """The constraints of the project, which are kept and not applied."""
    project = found(world, PROJECT, request.project_id, field="project_id")
    constraints: ProjectConstraints = project.constraints
    return constraints


def who_am_i(world: World, user_id: str, _request: WhoAmIRequest) -> WhoAmIResponse:
    """The user for whom the call is made, and the one who makes it; there is no credential."""
    return WhoAmIResponse(
        user=world.table.get(USER, user_id), caller=world.table.get(USER, world.caller_id)
    )
