"""Tables in which next to nothing is what is asked for, and an engine that tells its plans.

Of every table a few rows are *wanted*: they meet every filter of `WANTED`, and who is to see them
does. The others meet none, and there are as many as a test says.
"""

from __future__ import annotations

import itertools
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.execution_pb2 import ExecutionState
from symphony.v1.extension_pb2 import ExtensionState, ExtensionType, ScanReport
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Tier, UserState
from symphony.v1.workflow_pb2 import WorkflowStatus
from symphony_server.store import listings, tables
from symphony_server.store.audit_listing import AUDIT_RECORDS
from symphony_server.store.database import parse_url
from symphony_server.store.lists import Listing, Lists
from symphony_server.store.migrate import migrate
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.statements import Compiler
from tests import engines

WANTED_ROWS: Final = 8
METHODS: Final = 50
"""As many different ones there are about."""
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


class Engine:
    """A migrated database of one kind, that tells how it finds what it finds."""

    spare_work = 0
    """So much more work is a matter of which way was taken, and not of how many rows there are."""

    def __init__(self, address: DatabaseAddress) -> None:
        migrate(address)
        self.session = address.open(read_only=False)
        self.compiled = Compiler(self.session)
        self.lists = Lists(self.compiled)

    def fill(self, rows: Mapping[Any, Sequence[Sequence[Any]]]) -> None:
        """Put rows in: table → rows."""
        self.session.execute("BEGIN")
        for table, filled in rows.items():
            self.compiled.insert(table).many(filled)
        self.session.execute("COMMIT")

    def plan(self, listing: Listing, names: tuple[str, ...], order: str, **how: bool) -> list[str]:
        """The steps in which a page is found, in SQLite's words: `SEARCH` where the beginning of
        an index is looked up, `SCAN` where all is gone through, in the order of an index or not,
        and `TEMP B-TREE` where rows are sorted.
        """
        return self.steps(self.lists._compile(listing, names, order, **how).sql)

    @abstractmethod
    def steps(self, sql: str) -> list[str]:
        """The steps of a statement."""

    @abstractmethod
    def counted(self) -> AbstractContextManager[list[int]]:
        """Counts the work that is done in the block, whatever the hour."""


class SqliteEngine(Engine):
    """Its plans, and the instructions that its machine runs."""

    def steps(self, sql: str) -> list[str]:
        values = [None] * sql.count("?")
        rows = self.session.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        return [row[3] for row in rows]

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        work = [0]

        def one_more() -> None:
            work[0] += 1

        connection = self.session.database.connection()
        connection.set_progress_handler(one_more, 1)
        try:
            yield work
        finally:
            connection.set_progress_handler(None, 0)


class PostgresqlEngine(Engine):
    """Its plans as they are when reading a whole table is dear, as it is for a large one, and the
    rows that each step of them comes by. That it takes such a plan for a large table is for its
    statistics to say; here is shown that the indexes for it are there.
    """

    spare_work = 4 * WANTED_ROWS

    def __init__(self, address: DatabaseAddress) -> None:
        super().__init__(address)
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize"):
            self.session.execute(f"SET enable_{way} = off")
        self._execute = self.session.execute

    def fill(self, rows: Mapping[Any, Sequence[Sequence[Any]]]) -> None:
        super().fill(rows)
        self.session.execute("ANALYZE")

    def steps(self, sql: str) -> list[str]:
        # The plan for whatever values: those of the parameters are not known.
        numbers = itertools.count(1)
        sql = re.sub("%s", lambda _: f"${next(numbers)}", sql)
        return list(_in_words(self._plan(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {sql}")))

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        work = [0]

        def execute(sql: str, values: Sequence[Any]) -> Any:
            analysed = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"
            work[0] += _rows_met(self._plan(f"{analysed} {sql}", values))
            return self._execute(sql, values)

        session: Any = self.session
        session.execute = execute
        self.lists._statements.clear()  # which know the other way to execute
        try:
            yield work
        finally:
            session.execute = self._execute
            self.lists._statements.clear()

    def _plan(self, *statement: Any) -> Any:
        # Not as the session does, in binary: parameters without values are for text only.
        connection = self.session.database.connection()
        return connection.execute(*statement).fetchone()[0][0]["Plan"]


def _in_words(node: Any) -> Iterator[str]:
    for inner in node.get("Plans", ()):
        yield from _in_words(inner)
    kind, table = node["Node Type"], node.get("Alias")
    if kind in ("Index Scan", "Index Only Scan"):
        way = "SEARCH" if "Index Cond" in node else "SCAN"
        yield f"{way} {table} USING INDEX {node['Index Name']}"
    elif kind == "Seq Scan":
        yield f"SCAN {table}"
    elif "Scan" in kind and kind != "Subquery Scan":
        raise AssertionError(f"what is a {kind}?")
    elif kind == "Sort" and not all(map(_is_bounded, node["Plans"])):
        # An "Incremental Sort" gets its rows in order, but for those alike in all but the id.
        yield "USE TEMP B-TREE FOR ORDER BY"


def _is_bounded(node: Any) -> bool:
    """True when what comes is a page at most, of each of a few parts."""
    if node["Node Type"] in ("Append", "Subquery Scan"):
        return all(map(_is_bounded, node["Plans"]))
    return bool(node["Node Type"] == "Limit")


def _rows_met(node: Any) -> int:
    met: float = sum(node.get(key, 0) for key in ("Actual Rows", *_REMOVED)) * node["Actual Loops"]
    return round(met) + sum(_rows_met(inner) for inner in node.get("Plans", ()))


_REMOVED: Final = (
    "Rows Removed by Filter",
    "Rows Removed by Join Filter",
    "Rows Removed by Index Recheck",
)


KINDS: Final = {engines.SQLITE: SqliteEngine, engines.POSTGRESQL: PostgresqlEngine}


@contextmanager
def opened(kind: str, url: str) -> Iterator[Engine]:
    """The engine of a database, empty."""
    engine = KINDS[kind](parse_url(url))
    yield engine
    engine.session.close()


@contextmanager
def filled(kind: str, url: str, others: int) -> Iterator[Engine]:
    """An engine with so many rows of each table that nobody asks for."""
    with opened(kind, url) as engine:
        engine.fill(all_rows(others))
        yield engine


def all_rows(others: int) -> dict[Any, list[list[Any]]]:
    """Table → rows that are wanted, and so many others."""
    rows: dict[Any, list[list[Any]]] = {}

    def add(table: Any, **values: Any) -> None:
        columns = [column.name for column in table._meta.sorted_fields]
        rows.setdefault(table, []).append([values.pop(name) for name in columns])
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
    return rows


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
        method="symphony.v1.S/Wanted" if wanted else f"symphony.v1.S/Other{n % METHODS}",
        outcome=AuditOutcome.AUDIT_OUTCOME_DENIED if wanted else None,
        reason="ROLE_REQUIRED" if wanted else None,
    )
