"""Tables in which next to nothing is what is asked for, and an engine that tells its plans.

Of every table a few rows are *wanted*: they meet every filter of `WANTED`, and who is to see them
does. The others meet none, and there are as many as a test says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.extension_pb2 import ExtensionState, ExtensionType, ScanReport
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Tier, UserState
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import listings, tables
from symphony_server.store.audit_listing import AUDIT_RECORDS
from symphony_server.store.lists import Listing, Lists
from symphony_server.store.migrate import migrate
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.statements import Compiler

WANTED_ROWS: Final = 8
FIRST_WANTED_US: Final = 1_000_000
OWNER, MEMBER, STRANGER = "user_owner", "user_member", "user_stranger"
"""Who made what is wanted, who is a member of its projects, and who may see nothing."""

LISTINGS: Final[Mapping[str, Listing]] = {
    "users": listings.USERS,
    "projects": listings.PROJECTS,
    "members": listings.MEMBERS,
    "workflows": listings.WORKFLOWS,
    "executions": listings.EXECUTIONS,
    "extensions": listings.EXTENSIONS,
    "tokens": listings.TOKENS,
    "audit": AUDIT_RECORDS,
}

ALWAYS: Final = {"members": "project_id", "tokens": "user_id"}
"""Listing → the filter that is never left out."""

Filters = dict[str, str | int]
_NAMES: Final[Filters] = {"name_from": "m", "name_to": "n"}
_TIMES: Final[dict[str, Filters]] = {
    "after": {"after": FIRST_WANTED_US},
    "before": {"before": FIRST_WANTED_US + WANTED_ROWS},
}
_NAMES_AND_TIMES: Final[dict[str, Filters]] = {"name_prefix": _NAMES, **_TIMES}

WANTED: Final[Mapping[str, Mapping[str, Filters]]] = {
    "users": {
        "tier": {"tier": Tier.TIER_PRO},
        "state": {"state": UserState.USER_STATE_SUSPENDED},
        **_NAMES_AND_TIMES,
    },
    "projects": {"owner_id": {"owner_id": OWNER}, **_NAMES_AND_TIMES},
    "members": {
        "project_id": {"project_id": "project_0"},
        "role": {"role": ProjectRole.PROJECT_ROLE_VIEWER},
    },
    "workflows": {
        "project_id": {"project_id": "project_0"},
        "user_id": {"user_id": OWNER},
        "status": {"status": WorkflowStatus.WORKFLOW_STATUS_ARCHIVED},
        **_NAMES_AND_TIMES,
    },
    "executions": {
        "workflow_id": {"workflow_id": "workflow_0"},
        "project_id": {"project_id": "project_0"},
        "user_id": {"user_id": MEMBER},
        "state": {"state": ExecutionState.EXECUTION_STATE_RUNNING},
        **_TIMES,
    },
    "extensions": {
        "project_id": {"project_id": "project_0"},
        "type": {"type": ExtensionType.EXTENSION_TYPE_MOTIF},
        "state": {"state": ExtensionState.EXTENSION_STATE_DISABLED},
        **_NAMES_AND_TIMES,
    },
    "tokens": {"user_id": {"user_id": OWNER}},
    "audit": {
        "caller_id": {"caller_id": "user_service"},
        "user_id": {"user_id": OWNER},
        "resource_id": {"resource_id": "workflow_0"},
        "method": {"method": "symphony.v1.S/Wanted"},
        "outcome": {"outcome": AuditOutcome.AUDIT_OUTCOME_DENIED},
        "reason": {"reason": "ROLE_REQUIRED"},
        **_TIMES,
    },
}
"""Listing → filter of the contract, as `use_cases/` names it → the store's filters for it."""

OF_THE_FEED: Final = {"executions": {"project_id"}}
"""Listing → the filters that are the change feed's own: it reads what a change of rights turned."""


@dataclass
class Engine:
    """A database of one kind, filled. Another kind has the same methods."""

    connection: Any
    lists: Lists
    compiled: Compiler

    def plan(self, listing: Listing, names: tuple[str, ...], order: str, **how: bool) -> list[str]:
        """The steps in which a page is found."""
        statement = self.lists._compile(listing, names, order, **how)
        values = [None] * statement.sql.count("?")
        rows = self.connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values).fetchall()
        return [row[3] for row in rows]

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        """Counts the instructions that SQLite's machine runs: the work, whatever the hour."""
        work = [0]

        def one_more() -> None:
            work[0] += 1

        self.connection.set_progress_handler(one_more, 1)
        try:
            yield work
        finally:
            self.connection.set_progress_handler(None, 0)


def sqlite_engine(path: Path, others: int) -> Engine:
    """A SQLite database with so many rows of each table that nobody asks for."""
    file = SqliteFile(path)
    migrate(file)
    session = file.open(read_only=False)
    connection = session.database.connection()
    compiled = Compiler(session)
    connection.execute("BEGIN")
    for table, rows in _all_rows(others).items():
        compiled.insert(table).many(rows)
    connection.execute("COMMIT")
    return Engine(connection, Lists(compiled), compiled)


def _all_rows(others: int) -> dict[Any, list[list[Any]]]:
    filled: dict[Any, list[list[Any]]] = {}

    def add(table: Any, **values: Any) -> None:
        columns = [column.name for column in table._meta.sorted_fields]
        filled.setdefault(table, []).append([values.pop(name) for name in columns])
        assert not values, values

    for n in range(WANTED_ROWS):
        _add_row(add, n, FIRST_WANTED_US + n, f"m{n}", wanted=True)
    for n in range(others):
        # Their times lie on both sides of what is wanted, and so do their names.
        time_us = n if n % 2 else 2 * FIRST_WANTED_US + n
        _add_row(add, WANTED_ROWS + n, time_us, f"{'za'[n % 2]}{n}", wanted=False)
    roles = {
        OWNER: ProjectRole.PROJECT_ROLE_OWNER,
        MEMBER: ProjectRole.PROJECT_ROLE_COLLABORATOR,
    }
    for user, role in roles.items():
        for n in range(WANTED_ROWS):
            add(
                tables.ProjectMember,
                project_id=f"project_{n}",
                user_id=user,
                role=role,
                create_time=FIRST_WANTED_US,
            )
    return filled


def _add_row(add: Any, n: int, time_us: int, name: str, *, wanted: bool) -> None:
    """The n-th row of every table."""
    times = {"create_time": time_us, "update_time": time_us}
    owner = OWNER if wanted else f"user_{n}"
    # All that is wanted is in one place; the projects of the others are as many as they.
    project, workflow = ("project_0", "workflow_0") if wanted else (f"project_{n}", f"workflow_{n}")
    add(
        tables.User,
        id=f"user_{n}",
        email=f"{n}@example.com",
        email_key=f"{n}@example.com",
        name=name,
        name_key=name,
        tier=Tier.TIER_PRO if wanted else Tier.TIER_FREE,
        roles=0,
        state=UserState.USER_STATE_SUSPENDED if wanted else UserState.USER_STATE_ACTIVE,
        workflows_owned=0,
        **times,
    )
    add(
        tables.Project,
        id=f"project_{n}",
        owner_id=owner,
        name=name,
        name_key=name,
        description="",
        constraints=b"",
        workflow_count=0,
        **times,
    )
    add(
        tables.ProjectMember,
        project_id=project,
        user_id=f"user_{n}",
        role=ProjectRole.PROJECT_ROLE_VIEWER if wanted else ProjectRole.PROJECT_ROLE_OWNER,
        create_time=time_us,
    )
    add(
        tables.Workflow,
        id=f"workflow_{n}",
        project_id=project,
        user_id=owner,
        name_key=name,
        spec=b"",
        compute_units=0,
        estimated_duration=0,
        shared=wanted,
        status=WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
        if wanted
        else WorkflowStatus.WORKFLOW_STATUS_CREATED,
        **times,
    )
    add(
        tables.Execution,
        id=f"execution_{n}",
        workflow_id=workflow,
        project_id=project,
        user_id=MEMBER if wanted else f"user_{n}",
        state=ExecutionState.EXECUTION_STATE_RUNNING
        if wanted
        else ExecutionState.EXECUTION_STATE_SUCCEEDED,
        steps=b"",
        error="",
        start_time=0,
        end_time=0,
        **times,
    )
    add(
        tables.Extension,
        id=f"extension_{n}",
        project_id=project,
        installed_by=owner,
        name=name,
        version="1.0.0",
        type=ExtensionType.EXTENSION_TYPE_MOTIF
        if wanted
        else ExtensionType.EXTENSION_TYPE_OPERATOR,
        publisher="",
        permissions="",
        entry_point="",
        manifest="",
        manifest_format=0,
        scan=ScanReport().SerializeToString(),
        state=ExtensionState.EXTENSION_STATE_DISABLED
        if wanted
        else ExtensionState.EXTENSION_STATE_ENABLED,
        **times,
    )
    add(
        tables.Token,
        id=f"token_{n}",
        user_id=owner,
        name=name,
        secret_hash=str(n).encode(),
        scopes="*",
        create_time=time_us,
        expire_time=0,
        last_used_time=0,
    )
    add(
        tables.AuditEntry,
        sequence=n,
        id=f"audit_{n}",
        record=b"",
        time=time_us,
        caller_id="user_service" if wanted else None,
        user_id=owner,
        resource_id=workflow,
        method="symphony.v1.S/Wanted" if wanted else "symphony.v1.S/Other",
        outcome=AuditOutcome.AUDIT_OUTCOME_DENIED if wanted else None,
        reason="ROLE_REQUIRED" if wanted else None,
    )
