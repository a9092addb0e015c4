"""Saves a project, new or read before."""

from __future__ import annotations

from symphony.v1.project_pb2 import Project
from symphony_client.contracts import ProjectDataAccess


class SaveProjectUseCase:
    """Makes one call; which one depends on whether the project has an id yet."""

    def __init__(self, projects: ProjectDataAccess) -> None:
        """Save projects through `projects`, which pre-validates the request that comes of it."""
        self._projects = projects

    async def execute(self, project: Project, *, request_id: str = "") -> Project:
        """Return the project as it is kept: made if it has no id, else changed in every field.

        Raises:
            PreValidationFailed: the project is wrong as it stands; nothing was sent.
            Conflict: somebody else changed it since it was read.
            DataError: what else the server says of it.
        """
        return await self._projects.save(project, request_id=request_id)
