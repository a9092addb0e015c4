"""The world of the permission matrix: every kind of caller, and of each thing it may meet one
that is its own and one that is not.

It is put into the store past the server's rules, because the rules would not let everybody have
what the matrix needs: a VIEWER its own workflow, or a user a project that it made and left.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import Token
from symphony.v1.execution_pb2 import Execution, ExecutionState, ExecutionStep
from symphony.v1.extension_pb2 import Extension, ExtensionState, ExtensionType, ManifestFormat
from symphony.v1.project_pb2 import Project, ProjectMember, ProjectRole
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.workflow_pb2 import Workflow, WorkflowCost, WorkflowStatus
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_server.access.credentials import new_secret, secret_hash
from symphony_server.ids import new_id
from symphony_server.rules.names import name_key
from symphony_server.store.transaction import Transaction
from tests.server.permission_matrix import (
    MAX_EXTENSIONS,
    MAX_WORKFLOWS,
    RELATIONS,
    ROLES,
    STATES,
    TIERS,
    Cell,
    Who,
)
from tests.server.permission_wire import Ask, Wire
from tests.server.world import Person, World, spec

BOTH: Final = (False, True)
UNLIMITED_WORKFLOWS: Final = 1_000_000
FEWEST_EXTENSIONS: Final = 2
STEP_SECONDS: Final = 5


@dataclass
class Holdings:
    """A caller and what it may address. The keys say whether a thing is its own, as a cell's
    `mine` does, then whether it is shared, then whether it started it.
    """

    person: Person
    token_id: str
    projects: dict[bool, str] = field(default_factory=dict)
    empty_projects: dict[bool, str] = field(default_factory=dict)
    extensions: dict[bool, str] = field(default_factory=dict)
    """In the project that it did not make."""
    installed: dict[bool, list[str]] = field(default_factory=dict)
    """All extensions of the project that it made and of the one that it did not."""
    workflows: dict[tuple[bool, bool], str] = field(default_factory=dict)
    """Never run, in the project that it did not make."""
    run_workflows: dict[tuple[bool, bool], str] = field(default_factory=dict)
    executions: dict[tuple[bool, bool, bool], str] = field(default_factory=dict)
    decision_id: str = ""
    """A decision about it, where it may call."""


class MatrixWorld:
    """A running server with every kind of caller, and those that are not the caller."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory, rate_limits=False)
        self.people: dict[Who, Holdings] = {}
        self.name_of: dict[str, str] = {}
        """Workflow → its name."""

    def __enter__(self) -> MatrixWorld:
        self.world.__enter__()
        self.wire = Wire(self.world.admin)
        self.world.in_transaction(self._fill)
        self._note_decisions()
        return self

    def __exit__(self, *error: Any) -> None:
        self.world.__exit__(*error)

    def holdings(self, cell: Cell) -> Holdings:
        return self.people[cell.who]

    def _fill(self, transaction: Transaction) -> None:
        builder = _Builder(transaction, self.world)
        self.host = builder.person("Host", "DEVELOPER", "ENTERPRISE")
        """Owns whatever the caller does not."""
        self.member = builder.person("Member", "DEVELOPER", "ENTERPRISE")
        """Is VIEWER in every project."""
        self.newcomer = builder.person("Newcomer", "DEVELOPER", "ENTERPRISE")
        """Has nothing and is in nothing."""
        self.service = builder.person("Service", "SERVICE", "FREE")
        self.other_token_id = builder.token(self.newcomer.person.user.id)[0]
        builder.host, builder.member = self.host.person.id, self.member.person.id
        for values in itertools.product(ROLES, RELATIONS, TIERS, STATES, BOTH):
            who = Who(*values)
            self.people[who] = builder.caller(who)
        self.name_of = builder.names

    def _note_decisions(self) -> None:
        """Have something decided about everybody who may call."""
        calling = [h for who, h in self.people.items() if who.state == "ACTIVE"]
        request = GetWorkflowRequest(id=new_id("workflow"))
        asked = [*calling, self.host]
        told = self.wire.ask(
            Ask("WorkflowService/GetWorkflow", request, holdings.person) for holdings in asked
        )
        for holdings, answer in zip(asked, told, strict=True):
            holdings.decision_id = answer.decision_id


class _Builder:
    """Puts people and their things into the store."""

    def __init__(self, transaction: Transaction, world: World) -> None:
        self._store = transaction
        self._time_us = transaction.time_us
        self._world = world
        self._numbers: Iterator[int] = itertools.count(1)
        self.host = self.member = ""
        self.names: dict[str, str] = {}

    def person(self, name: str, role: str, tier: str, state: str = "ACTIVE") -> Holdings:
        user = User(
            id=new_id("user"),
            email=f"matrix{next(self._numbers)}@example.com",
            name=name,
            tier=Tier.Value(f"TIER_{tier}"),
            roles=[Role.Value(f"ROLE_{role}")],
            state=UserState.Value(f"USER_STATE_{state}"),
        )
        self._store.users.insert(
            user,
            email_key=name_key(user.email),
            name_key=name_key(user.name),
            time_us=self._time_us,
        )
        token_id, secret = self.token(user.id)
        return Holdings(Person(self._world.admin.channel, secret, user), token_id)

    def token(self, user_id: str) -> tuple[str, str]:
        token = Token(id=new_id("token"), user_id=user_id, name="matrix", scopes=["*"])
        secret = new_secret()
        self._store.tokens.insert(
            token, secret_hash=secret_hash(secret), time_us=self._time_us, expire_time_us=0
        )
        return token.id, secret

    def caller(self, who: Who) -> Holdings:
        name = f"{who.role} {who.relation} {who.tier} {who.state} {'full' if who.full else 'room'}"
        caller = self.person(name, who.role, who.tier, who.state)
        user_id = caller.person.id
        most = MAX_WORKFLOWS.get(who.tier, UNLIMITED_WORKFLOWS)
        self._store.users.add_workflows_owned(user_id, most if who.full else most - 1)
        for made in BOTH:
            maker = user_id if made else self.host
            caller.empty_projects[made] = self._project(maker, user_id, who)
            caller.projects[made] = self._project(maker, user_id, who)
            caller.installed[made] = self._extensions(caller, caller.projects[made], who)
        for number, mine in enumerate((True, False)):
            caller.extensions[mine] = caller.installed[False][number]
        project_id = caller.projects[False]
        for mine, shared in itertools.product(BOTH, BOTH):
            owner = user_id if mine else self.host
            caller.workflows[mine, shared] = self._workflow(project_id, owner, shared=shared)
            run = self._workflow(project_id, owner, shared=shared)
            caller.run_workflows[mine, shared] = run
            for started in BOTH:
                starter = user_id if started else self.host
                caller.executions[mine, shared, started] = self._execution(run, project_id, starter)
        return caller

    def _project(self, maker: str, user_id: str, who: Who) -> str:
        name = f"project {next(self._numbers)}"
        project = Project(id=new_id("project"), owner_id=maker, name=name)
        self._store.projects.insert(project, name_key=name_key(name), time_us=self._time_us)
        roles = {self.host: "OWNER", self.member: "VIEWER"}
        if who.relation:
            roles[user_id] = who.relation
        for member_id, role in roles.items():
            self._store.members.insert(
                ProjectMember(
                    project_id=project.id,
                    user_id=member_id,
                    role=ProjectRole.Value(f"PROJECT_ROLE_{role}"),
                ),
                time_us=self._time_us,
            )
        return project.id

    def _extensions(self, caller: Holdings, project_id: str, who: Who) -> list[str]:
        """As many as the tier allows, or one fewer; the first of them the caller's own."""
        installed = []
        most = MAX_EXTENSIONS.get(who.tier, FEWEST_EXTENSIONS + 1)
        for number in range(most if who.full else most - 1):
            extension = Extension(
                id=new_id("extension"),
                project_id=project_id,
                installed_by=caller.person.id if number == 0 else self.host,
                name=f"installed-{number:02}",
                version="1.0.0",
                type=ExtensionType.EXTENSION_TYPE_OPERATOR,
                publisher="Nimbus Tools",
                entry_point="dist/main.js",
                manifest="{}",
                manifest_format=ManifestFormat.MANIFEST_FORMAT_JSON,
                state=ExtensionState.EXTENSION_STATE_ENABLED,
            )
            self._store.extensions.insert(extension, time_us=self._time_us)
            installed.append(extension.id)
        return installed

    def _workflow(self, project_id: str, owner: str, *, shared: bool) -> str:
        name = f"workflow {next(self._numbers)}"
        cost = WorkflowCost(compute_units=10)
        cost.estimated_duration.FromSeconds(STEP_SECONDS)
        workflow = Workflow(
            id=new_id("workflow"),
            project_id=project_id,
            user_id=owner,
            spec=spec(name),
            estimated_cost=cost,
            shared=shared,
            status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
        )
        self._store.workflows.insert(
            workflow,
            name_key=name_key(name),
            duration_us=STEP_SECONDS * 1_000_000,
            time_us=self._time_us,
        )
        self._store.projects.add_workflows(project_id, 1)
        self.names[workflow.id] = name
        return workflow.id

    def _execution(self, workflow_id: str, project_id: str, starter: str) -> str:
        execution = Execution(
            id=new_id("execution"),
            workflow_id=workflow_id,
            user_id=starter,
            state=ExecutionState.EXECUTION_STATE_PENDING,
            steps=[ExecutionStep(name="only", state=ExecutionState.EXECUTION_STATE_PENDING)],
            create_time=Timestamp(seconds=self._time_us // 1_000_000),
        )
        self._store.executions.insert(execution, project_id=project_id, time_us=self._time_us)
        return execution.id
