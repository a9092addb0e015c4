"""What the permission table needs to know of a resource, by the resource's id alone."""

from __future__ import annotations

from symphony.v1.workflow_pb2 import Workflow
from symphony_server.access.permissions import Facts
from symphony_server.store.transaction import Snapshot


def facts_of(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    """The facts of a resource of any kind for a user; None when it is not there."""
    kind = resource_id.partition("_")[0]
    find = _FINDERS.get(kind)
    return None if find is None else find(snapshot, resource_id, user_id)


def etag_of(snapshot: Snapshot, resource_id: str) -> str | None:
    """The etag of a resource of any kind that has one; None when it is not there."""
    kind = resource_id.partition("_")[0]
    if kind == "user":
        user = snapshot.users.get(resource_id)
        return None if user is None else user.etag
    if kind == "project":
        project, _ = snapshot.projects.get(resource_id, "")
        return None if project is None else project.etag
    if kind == "workflow":
        workflow, _ = snapshot.workflows.get(resource_id, "")
        return None if workflow is None else workflow.etag
    if kind == "execution":
        execution = snapshot.executions.get(resource_id)
        return None if execution is None else execution.etag
    if kind == "extension":
        extension, _ = snapshot.extensions.get(resource_id, "")
        return None if extension is None else extension.etag
    return None


def workflow_facts(workflow: Workflow, relation: int, *, started_by: str = "") -> Facts:
    """The facts of a workflow, or of an execution of it, for a user with this relation to its
    project.
    """
    return Facts(
        owner_id=workflow.user_id,
        relation=relation,
        shared=workflow.shared,
        started_by=started_by,
    )


def _user(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    user = snapshot.users.get(resource_id)
    if user is None:
        return None
    return Facts(owner_id=user.id, owns_any_project=snapshot.members.owns_any_project(user_id))


def _project(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    project, relation = snapshot.projects.get(resource_id, user_id)
    return None if project is None else Facts(owner_id=project.owner_id, relation=relation)


def _workflow(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    workflow, relation = snapshot.workflows.get(resource_id, user_id)
    return None if workflow is None else workflow_facts(workflow, relation)


def _execution(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    execution = snapshot.executions.get(resource_id)
    if execution is None:
        return None
    workflow, relation = snapshot.workflows.get(execution.workflow_id, user_id)
    if workflow is None:
        return None
    return workflow_facts(workflow, relation, started_by=execution.user_id)


def _extension(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    extension, relation = snapshot.extensions.get(resource_id, user_id)
    return None if extension is None else Facts(relation=relation)


def _token(snapshot: Snapshot, resource_id: str, user_id: str) -> Facts | None:
    token = snapshot.tokens.get(resource_id)
    return None if token is None else Facts(owner_id=token.user_id)


_FINDERS = {
    "user": _user,
    "project": _project,
    "workflow": _workflow,
    "execution": _execution,
    "extension": _extension,
    "token": _token,
}
