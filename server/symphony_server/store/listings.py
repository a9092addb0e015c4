"""What may be listed, by what it may be filtered and ordered, and who sees which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from peewee import SQL, fn

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import executions, extensions, projects, tokens, users, workflows
from symphony_server.store.lists import DEFAULT_ORDER, Listing, Order, Reach


def _between(column: Any, after: str, before: str) -> dict[str, Callable[[Any], Any]]:
    return {after: lambda p: column >= p, before: lambda p: column < p}


def _prefix(column: Any) -> dict[str, Callable[[Any], Any]]:
    return {"name_from": lambda p: column >= p, "name_to": lambda p: column < p}


def _by_time(table: Any, id_column: Any) -> dict[str, Order]:
    return {
        "create_time": Order(table.create_time, id_column),
        DEFAULT_ORDER: Order(table.create_time, id_column, descending=True),
    }


def _project_visible(user: Any) -> Any:
    member = projects.M
    return projects.T.id.in_(member.select(member.project_id).where(member.user_id == user))


def _workflow_visible(user: Any) -> Any:
    member, workflow = projects.M, workflows.T
    return (workflow.user_id == user) | fn.EXISTS(
        member.select(member.user_id).where(
            (member.project_id == workflow.project_id)
            & (member.user_id == user)
            & ((member.role == ProjectRole.PROJECT_ROLE_OWNER) | workflow.shared)
        )
    )


def _workflow_reaches(user: Any) -> Sequence[Reach]:
    member, workflow = projects.M, workflows.T
    return (
        Reach(None, None, workflow.user_id == user),
        Reach(
            member,
            (member.user_id == user) & (member.role == ProjectRole.PROJECT_ROLE_OWNER),
            workflow.project_id == member.project_id,
        ),
        # An owner's shared ones are found twice, and the index of what is shared is always used.
        Reach(
            member,
            member.user_id == user,
            (workflow.project_id == member.project_id) & workflow.shared,
        ),
    )


def _workflow_status(status: Any) -> Sequence[Any]:
    # What is archived has indexes of its own, which SQLite takes for the number itself only.
    archived = WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
    return (
        (workflows.T.status == SQL(str(archived))) & (status == archived),
        (workflows.T.status != SQL(str(archived))) & (workflows.T.status == status),
    )


USERS = Listing(
    columns=users.COLUMNS,
    filters={
        "tier": lambda p: users.T.tier == p,
        "state": lambda p: users.T.state == p,
        **_prefix(users.T.name_key),
        **_between(users.T.create_time, "after", "before"),
    },
    orders={**_by_time(users.T, users.T.id), "name": Order(users.T.name_key, users.T.id)},
)
PROJECTS = Listing(
    columns=projects.COLUMNS,
    filters={
        "owner_id": lambda p: projects.T.owner_id == p,
        **_prefix(projects.T.name_key),
        **_between(projects.T.create_time, "after", "before"),
    },
    orders={
        **_by_time(projects.T, projects.T.id),
        "name": Order(projects.T.name_key, projects.T.id),
    },
    visible_to=_project_visible,
)
MEMBERS = Listing(
    columns=projects.MEMBER_COLUMNS,
    filters={
        "project_id": lambda p: projects.M.project_id == p,
        "role": lambda p: projects.M.role == p,
    },
    orders=_by_time(projects.M, projects.M.user_id),
)
WORKFLOWS = Listing(
    columns=workflows.COLUMNS,
    filters={
        "project_id": lambda p: workflows.T.project_id == p,
        "user_id": lambda p: workflows.T.user_id == p,
        **_prefix(workflows.T.name_key),
        **_between(workflows.T.create_time, "after", "before"),
    },
    either={"status": _workflow_status},
    orders={
        **_by_time(workflows.T, workflows.T.id),
        "name": Order(workflows.T.name_key, workflows.T.id),
    },
    visible_to=_workflow_visible,
    reaches=_workflow_reaches,
    narrow=frozenset({"project_id", "user_id"}),
)


def _execution_visible(user: Any) -> Any:
    workflow = workflows.T
    return fn.EXISTS(
        workflow.select(workflow.id).where(
            (workflow.id == executions.T.workflow_id) & _workflow_visible(user)
        )
    )


def _execution_reaches(user: Any) -> Sequence[Reach]:
    member, workflow, execution = projects.M, workflows.T, executions.T
    return (
        Reach(workflow, workflow.user_id == user, execution.workflow_id == workflow.id),
        Reach(
            member,
            member.user_id == user,
            (execution.project_id == member.project_id)
            & fn.EXISTS(
                workflow.select(workflow.id).where(
                    (workflow.id == execution.workflow_id)
                    & ((member.role == ProjectRole.PROJECT_ROLE_OWNER) | workflow.shared)
                )
            ),
        ),
    )


EXECUTIONS = Listing(
    columns=executions.COLUMNS,
    filters={
        "workflow_id": lambda p: executions.T.workflow_id == p,
        "project_id": lambda p: executions.T.project_id == p,
        "user_id": lambda p: executions.T.user_id == p,
        "state": lambda p: executions.T.state == p,
        **_between(executions.T.create_time, "after", "before"),
    },
    orders=_by_time(executions.T, executions.T.id),
    visible_to=_execution_visible,
    reaches=_execution_reaches,
    narrow=frozenset({"workflow_id", "user_id"}),
    coarse={"state": lambda p: executions.T.state + 0 == p},
)


def _extension_visible(user: Any) -> Any:
    member = projects.M
    return extensions.T.project_id.in_(
        member.select(member.project_id).where(member.user_id == user)
    )


EXTENSIONS = Listing(
    columns=extensions.COLUMNS,
    filters={
        "project_id": lambda p: extensions.T.project_id == p,
        "type": lambda p: extensions.T.type == p,
        "state": lambda p: extensions.T.state == p,
        **_prefix(extensions.T.name),
        **_between(extensions.T.create_time, "after", "before"),
    },
    orders={
        **_by_time(extensions.T, extensions.T.id),
        "name": Order(extensions.T.name, extensions.T.id),
    },
    visible_to=_extension_visible,
    narrow=frozenset({"project_id"}),
    coarse={
        "type": lambda p: extensions.T.type + 0 == p,
        "state": lambda p: extensions.T.state + 0 == p,
    },
)
TOKENS = Listing(
    columns=tokens.COLUMNS,
    filters={"user_id": lambda p: tokens.T.user_id == p},
    orders=_by_time(tokens.T, tokens.T.id),
)
