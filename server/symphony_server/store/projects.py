"""Projects and their members: rows ↔ messages, and the statements on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from peewee import JOIN

from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember, ProjectRole
from symphony_server.clock import set_timestamp
from symphony_server.store import tables
from symphony_server.store.relations import WithRelation
from symphony_server.store.stamps import stamp
from symphony_server.store.statements import Compiler, param

T = tables.Project
M = tables.ProjectMember
U = tables.User
W = tables.Workflow
COLUMNS = (T.id, T.owner_id, T.name, T.description, T.constraints, T.create_time, T.update_time)
MEMBER_COLUMNS = (M.project_id, M.user_id, M.role, M.create_time)


def project_message(row: Sequence[Any]) -> Project:
    """The message of a row with `COLUMNS`."""
    project_id, owner_id, name, description, constraints, create_time, update_time = row
    project = Project(id=project_id, owner_id=owner_id, name=name, description=description)
    if constraints:
        project.constraints.ParseFromString(constraints)
    stamp(project, create_time_us=create_time, update_time_us=update_time)
    return project


def member_message(row: Sequence[Any]) -> ProjectMember:
    """The message of a row with `MEMBER_COLUMNS`."""
    project_id, user_id, role, create_time = row
    member = ProjectMember(project_id=project_id, user_id=user_id, role=role)
    set_timestamp(member.create_time, create_time)
    return member


class Place(NamedTuple):
    """Where something new of a user's is to be, in one read."""

    constraints: ProjectConstraints | None = None
    """The project's; None when it is not there."""
    held: int = 0
    """How many workflows the project has."""
    relation: int = 0
    """The user's relation to the project: a ProjectRole, 0 for none."""
    owned: int = 0
    """How many workflows the user owns, in all projects."""
    name_taken: bool = False
    """Whether a workflow of the project has the name."""


NOWHERE: Final = Place()


class Projects:
    """The projects of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._read = WithRelation(
            compiled, COLUMNS, project_message, resource_id=T.id, project_id=T.id
        )
        # From the user, who is there whether the project is or not.
        self._place = compiled(
            U.select(T.constraints, T.workflow_count, M.role, U.workflows_owned, W.id)
            .join(T, JOIN.LEFT_OUTER, on=(T.id == param("id")))
            .join(M, JOIN.LEFT_OUTER, on=((M.project_id == T.id) & (M.user_id == U.id)))
            .join(
                W,
                JOIN.LEFT_OUTER,
                on=((W.project_id == T.id) & (W.name_key == param("name"))),
            )
            .where(U.id == param("user")),
            "id",
            "name",
            "user",
        )
        self._constraints = compiled(T.select(T.constraints).where(T.id == param("id")), "id")
        self._insert = compiled.insert(T)
        self._update = compiled.update(
            T,
            (T.name, T.name_key, T.description, T.constraints, T.update_time),
            T.id == param("id"),
            "id",
        )
        self._delete = compiled.delete(T, T.id == param("id"), "id")
        self._workflow_count = compiled(T.select(T.workflow_count).where(T.id == param("id")), "id")
        self._add_workflows = compiled(
            T.update({T.workflow_count: T.workflow_count + param("by")}).where(T.id == param("id")),
            "by",
            "id",
        )

    def get(self, project_id: str, user_id: str) -> tuple[Project | None, int]:
        """A project, or None, and the user's relation to it (a ProjectRole; 0 for none)."""
        return self._read.get(project_id, user_id)

    def place(self, project_id: str, user_id: str, name_key: str = "") -> Place:
        """What something new of a user's in a project is held against, a workflow with a name for
        one.
        """
        row = self._place(project_id, name_key, user_id).fetchone()
        if row is None:
            return NOWHERE
        constraints, held, role, owned, holder = row
        if constraints is None:
            return NOWHERE._replace(owned=owned)
        return Place(
            ProjectConstraints.FromString(constraints), held, role or 0, owned, holder is not None
        )

    def constraints(self, project_id: str) -> ProjectConstraints:
        """The constraints of a project that is there."""
        return ProjectConstraints.FromString(self._constraints(project_id).fetchone()[0])

    def insert(self, project: Project, *, name_key: str, time_us: int) -> None:
        """Add a project without workflows."""
        self._insert(
            project.id,
            project.owner_id,
            project.name,
            name_key,
            project.description,
            project.constraints.SerializeToString(),
            0,
            time_us,
            time_us,
        )

    def update(self, project: Project, *, name_key: str, time_us: int) -> None:
        """Replace a project's name, description and constraints."""
        self._update(
            project.name,
            name_key,
            project.description,
            project.constraints.SerializeToString(),
            time_us,
            project.id,
        )

    def delete(self, project_id: str) -> None:
        """Remove a project; its members are removed by `Members.delete_all`."""
        self._delete(project_id)

    def workflow_count(self, project_id: str) -> int:
        """How many workflows a project holds; 0 for one that is not there."""
        row = self._workflow_count(project_id).fetchone()
        return 0 if row is None else int(row[0])

    def add_workflows(self, project_id: str, by: int) -> None:
        """Count workflows gained or lost."""
        self._add_workflows(by, project_id)


class Members:
    """The project members of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        one = (M.project_id == param("project")) & (M.user_id == param("user"))
        self._get = compiled(M.select(*MEMBER_COLUMNS).where(one), "project", "user")
        self._insert = compiled.insert(M)
        self._update = compiled.update(M, (M.role,), one, "project", "user")
        self._delete = compiled.delete(M, one, "project", "user")
        self._all = compiled(
            M.select(*MEMBER_COLUMNS).where(M.project_id == param("project")), "project"
        )
        self._delete_all = compiled.delete(M, M.project_id == param("project"), "project")
        self._roles = compiled(
            M.select(M.project_id, M.role).where(M.user_id == param("user")), "user"
        )
        self._other_owner = compiled(
            M.select(M.user_id)
            .where(
                (M.project_id == param("project"))
                & (M.user_id != param("user"))
                & (M.role == ProjectRole.PROJECT_ROLE_OWNER)
            )
            .limit(1),
            "project",
            "user",
        )
        self._owns_any = compiled(
            M.select(M.project_id)
            .where((M.user_id == param("user")) & (M.role == ProjectRole.PROJECT_ROLE_OWNER))
            .limit(1),
            "user",
        )

    def get(self, project_id: str, user_id: str) -> ProjectMember | None:
        """A user's membership in a project, or None."""
        row = self._get(project_id, user_id).fetchone()
        return None if row is None else member_message(row)

    def insert(self, member: ProjectMember, *, time_us: int) -> None:
        """Add a member."""
        self._insert(member.project_id, member.user_id, member.role, time_us)

    def update(self, project_id: str, user_id: str, role: int) -> None:
        """Change a member's role."""
        self._update(role, project_id, user_id)

    def delete(self, project_id: str, user_id: str) -> None:
        """Remove a member."""
        self._delete(project_id, user_id)

    def delete_all(self, project_id: str) -> list[ProjectMember]:
        """Remove every member of a project; returns who they were."""
        members = [member_message(row) for row in self._all(project_id).fetchall()]
        self._delete_all(project_id)
        return members

    def roles_of(self, user_id: str) -> dict[str, int]:
        """A user's role in each project that it is a member of, by the project's id."""
        return {str(row[0]): int(row[1]) for row in self._roles(user_id).fetchall()}

    def has_owner_besides(self, project_id: str, user_id: str) -> bool:
        """True when another user than this one is an OWNER of the project."""
        return self._other_owner(project_id, user_id).fetchone() is not None

    def owns_any_project(self, user_id: str) -> bool:
        """True when the user is an OWNER of at least one project."""
        return self._owns_any(user_id).fetchone() is not None
