"""What one user may see, as of one revision; it moves along the change log.

The table of permissions decides, with the user's relation to each project as it was then. So
a caller that resumes gets exactly what it would have got had it never been away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from symphony.v1.change_pb2 import ResourceKind
from symphony_server.access.caller import Subject
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts, sees_everything
from symphony_server.store.change_log import Entry
from symphony_server.store.transaction import Snapshot

USER: Final = ResourceKind.RESOURCE_KIND_USER
PROJECT: Final = ResourceKind.RESOURCE_KIND_PROJECT
PROJECT_MEMBER: Final = ResourceKind.RESOURCE_KIND_PROJECT_MEMBER
WORKFLOW: Final = ResourceKind.RESOURCE_KIND_WORKFLOW
EXECUTION: Final = ResourceKind.RESOURCE_KIND_EXECUTION
EXTENSION: Final = ResourceKind.RESOURCE_KIND_EXTENSION

_READ: Final = {
    USER: "users.read",
    PROJECT: "projects.read",
    PROJECT_MEMBER: "projects.read",
    WORKFLOW: "workflows.read",
    EXECUTION: "executions.read",
    EXTENSION: "extensions.read",
}


@dataclass(slots=True)
class View:
    """The rights of one user to see."""

    subject: Subject
    """The user, without the roles that see everything: those are in `everything`."""
    everything: bool
    relations: dict[str, int] = field(default_factory=dict)
    """Project id → the user's role in it."""

    @staticmethod
    def as_of(snapshot: Snapshot, subject: Subject, revision: int) -> View:
        """What the user could see at a revision: what it can see now, with the changes of its
        rights since then undone.
        """
        view = View.now(snapshot, subject)
        for entry in snapshot.changes.of_rights(subject.id, revision):
            view._set(entry, entry.before)
        return view

    @staticmethod
    def now(snapshot: Snapshot, subject: Subject) -> View:
        """What the user can see in the snapshot."""
        user = snapshot.users.get(subject.id)
        return View(
            subject=Subject(subject.id, frozenset(), subject.tier, suspended=False),
            everything=user is not None and sees_everything(user.roles),
            relations=snapshot.members.roles_of(subject.id),
        )

    def copy(self) -> View:
        """The same view, to be moved on by itself."""
        return View(self.subject, self.everything, dict(self.relations))

    def concerns(self, entry: Entry) -> bool:
        """True when the change may have given or taken rights of the user."""
        return (
            entry.owner_id == self.subject.id
            and entry.kind in (USER, PROJECT_MEMBER)
            and entry.before != entry.after
        )

    def move_past(self, entry: Entry) -> None:
        """Take over what a change that concerns the user gives or takes."""
        self._set(entry, entry.after)

    def _set(self, entry: Entry, standing: int) -> None:
        if entry.kind == USER:
            self.everything = bool(standing)
        elif standing:
            self.relations[entry.project_id] = standing
        else:
            self.relations.pop(entry.project_id, None)

    def sees(
        self, kind: int, *, project_id: str = "", owner_id: str = "", shared: bool = False
    ) -> bool:
        """True when the user may read a resource that stands so."""
        if self.everything:
            return True
        relation = self.relations.get(project_id, 0)
        if not relation and owner_id != self.subject.id:
            return False
        facts = Facts(owner_id=owner_id, relation=relation, shared=shared)
        return decide(_READ[kind], self.subject, facts).allowed  # type: ignore[index]

    def saw(self, entry: Entry) -> bool:
        """True when the resource was there before the change and the user may read it as it
        stood then.
        """
        return entry.was_there and self._sees(entry, entry.before)

    def sees_now(self, entry: Entry) -> bool:
        """The same of the resource after the change."""
        return entry.is_there and self._sees(entry, entry.after)

    def _sees(self, entry: Entry, standing: int) -> bool:
        return self.sees(
            entry.kind,
            project_id=entry.project_id,
            owner_id=owner_of(entry),
            shared=is_shared(entry, standing),
        )


def owner_of(entry: Entry) -> str:
    """Who may see the resource because it is theirs; a membership is the project's."""
    return "" if entry.kind == PROJECT_MEMBER else entry.owner_id


def is_shared(entry: Entry, standing: int) -> bool:
    """Whether the resource is a shared workflow, or an execution of one, when it stands so."""
    return entry.kind in (WORKFLOW, EXECUTION) and bool(standing)
