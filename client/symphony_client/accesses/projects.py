"""Projects and their members."""

from __future__ import annotations

from collections.abc import AsyncIterator

from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember
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
from symphony_client.accesses.resources import Resources, pages


class Projects(Resources[Project]):
    """A `ProjectDataAccess`."""

    _KIND = "project"
    _PLURAL = "projects"
    _GET = GetProjectRequest
    _UPDATE = UpdateProjectRequest

    async def create_project(self, request: CreateProjectRequest) -> Project:
        """See `ProjectDataAccess.create_project`."""
        project: Project = await self._ask(request)
        return project

    async def delete(self, resource_id: str, *, etag: str = "", request_id: str = "") -> None:
        """See `DataStore.delete`."""
        await self._ask(DeleteProjectRequest(id=resource_id, etag=etag, request_id=request_id))

    def find_by_owner(self, owner_id: str) -> AsyncIterator[Project]:
        """See `ProjectDataAccess.find_by_owner`."""
        return self.find_by_criteria(ListProjectsRequest(owner_id=owner_id))

    async def get_project_constraints(self, project_id: str) -> ProjectConstraints:
        """See `ProjectDataAccess.get_project_constraints`."""
        request = GetProjectConstraintsRequest(project_id=project_id)
        found: ProjectConstraints = await self._ask(request)
        return found

    def find_members(self, criteria: ListProjectMembersRequest) -> AsyncIterator[ProjectMember]:
        """See `ProjectDataAccess.find_members`."""
        return pages(self._source, criteria, "members")

    async def add_member(self, request: AddProjectMemberRequest) -> ProjectMember:
        """See `ProjectDataAccess.add_member`."""
        member: ProjectMember = await self._ask(request)
        return member

    async def update_member(self, request: UpdateProjectMemberRequest) -> ProjectMember:
        """See `ProjectDataAccess.update_member`."""
        member: ProjectMember = await self._ask(request)
        return member

    async def remove_member(self, request: RemoveProjectMemberRequest) -> None:
        """See `ProjectDataAccess.remove_member`."""
        await self._ask(request)

    async def _create(self, entity: Project, request_id: str) -> Project:
        return await self.create_project(
            CreateProjectRequest(
                name=entity.name,
                description=entity.description,
                constraints=entity.constraints if entity.HasField("constraints") else None,
                request_id=request_id,
            )
        )
