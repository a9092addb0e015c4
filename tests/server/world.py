"""A small world to test against: a real server, people with credentials, and what they made."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.trace import TracerProvider

from symphony.v1 import (
    access_service_pb2_grpc,
    audit_service_pb2_grpc,
    change_service_pb2_grpc,
    execution_service_pb2_grpc,
    extension_service_pb2_grpc,
    project_service_pb2_grpc,
    server_info_service_pb2_grpc,
    transaction_service_pb2_grpc,
    user_service_pb2_grpc,
    workflow_service_pb2_grpc,
)
from symphony.v1.access_service_pb2 import CreateTokenRequest, WhoAmIRequest
from symphony.v1.audit_pb2 import AuditRecord
from symphony.v1.project_pb2 import Project, ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest, CreateProjectRequest
from symphony.v1.user_pb2 import Role, Tier, User
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_server.embedded import EmbeddedServer
from symphony_server.settings import Settings
from symphony_server.store.database import parse_url
from symphony_server.store.session import Session
from symphony_server.store.tables import TABLES
from symphony_server.store.transaction import Transaction

T = TypeVar("T")
TIMEOUT_SECONDS: Final = 20
_DETAILS: Final = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.QuotaFailure,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.ResourceInfo,
    error_details_pb2.RetryInfo,
)


@dataclass
class Refusal:
    """What a refused call said."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    details: dict[str, Any]
    trailing: dict[str, str | bytes]

    @property
    def fields(self) -> dict[str, str]:
        """Field path → rule or reason."""
        bad = self.details.get("BadRequest")
        return {v.field: v.reason for v in bad.field_violations} if bad else {}


@dataclass
class Answer:
    """What an allowed call said."""

    response: Any
    trailing: dict[str, str | bytes]

    @property
    def revision(self) -> int:
        return int(self.trailing["x-symphony-revision"])

    @property
    def decision_id(self) -> str:
        return str(self.trailing["x-symphony-decision-id"])


@dataclass
class Person:
    """Somebody with a credential, or without one."""

    channel: grpc.Channel
    secret: str | None
    user: User = field(default_factory=User)
    act_as: str = ""

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def users(self) -> user_service_pb2_grpc.UserServiceStub:
        return user_service_pb2_grpc.UserServiceStub(self.channel)

    @property
    def projects(self) -> project_service_pb2_grpc.ProjectServiceStub:
        return project_service_pb2_grpc.ProjectServiceStub(self.channel)

    @property
    def workflows(self) -> workflow_service_pb2_grpc.WorkflowServiceStub:
        return workflow_service_pb2_grpc.WorkflowServiceStub(self.channel)

    @property
    def executions(self) -> execution_service_pb2_grpc.ExecutionServiceStub:
        return execution_service_pb2_grpc.ExecutionServiceStub(self.channel)

    @property
    def extensions(self) -> extension_service_pb2_grpc.ExtensionServiceStub:
        return extension_service_pb2_grpc.ExtensionServiceStub(self.channel)

    @property
    def transactions(self) -> transaction_service_pb2_grpc.TransactionServiceStub:
        return transaction_service_pb2_grpc.TransactionServiceStub(self.channel)

    @property
    def changes(self) -> change_service_pb2_grpc.ChangeServiceStub:
        return change_service_pb2_grpc.ChangeServiceStub(self.channel)

    @property
    def audits(self) -> audit_service_pb2_grpc.AuditServiceStub:
        return audit_service_pb2_grpc.AuditServiceStub(self.channel)

    @property
    def access(self) -> access_service_pb2_grpc.AccessServiceStub:
        return access_service_pb2_grpc.AccessServiceStub(self.channel)

    @property
    def info(self) -> server_info_service_pb2_grpc.ServerInfoServiceStub:
        return server_info_service_pb2_grpc.ServerInfoServiceStub(self.channel)

    def metadata(self, extra: Sequence[tuple[str, str]] = ()) -> list[tuple[str, str]]:
        metadata = list(extra)
        if self.secret is not None:
            metadata.append(("authorization", f"Bearer {self.secret}"))
        if self.act_as:
            metadata.append(("x-symphony-act-as", self.act_as))
        return metadata

    def ask(self, method: Any, request: Any, *extra: tuple[str, str]) -> Answer:
        """Call and return what came with the answer; fails the test on a refusal."""
        response, call = method.with_call(
            request, metadata=self.metadata(extra), timeout=TIMEOUT_SECONDS
        )
        return Answer(response, _trailing(call))

    def get(self, method: Any, request: Any, *extra: tuple[str, str]) -> Any:
        """Call and return the response; fails the test on a refusal."""
        return self.ask(method, request, *extra).response

    def refused(self, method: Any, request: Any, *extra: tuple[str, str]) -> Refusal:
        """Call and return the refusal; fails the test on an answer."""
        try:
            method(request, metadata=self.metadata(extra), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return read_refusal(error)
        raise AssertionError("the call was allowed")

    def refused_within_a_second(self) -> Refusal:
        """How the person is refused by now, or shortly after: a server may remember them."""
        last = time.monotonic() + 1
        while True:
            began = time.monotonic()
            try:
                self.get(self.access.WhoAmI, WhoAmIRequest())
            except grpc.RpcError as error:
                return read_refusal(error)
            assert began < last, "the call is still allowed"

    def acting_as(self, user_id: str) -> Person:
        return Person(self.channel, self.secret, self.user, act_as=user_id)


class World:
    """A server on a database of its own, and people who call it."""

    def __init__(
        self,
        directory: Path,
        database_url: str = "",
        tracer_provider: TracerProvider | None = None,
        **settings: Any,
    ) -> None:
        """A SQLite file in the directory unless another database is named."""
        self.directory = directory
        self.database_url = database_url or f"sqlite:///{directory / 'world.db'}"
        self._settings = Settings(
            database_url=self.database_url,
            listen="127.0.0.1:0",
            bootstrap_admin="admin@example.com",
            token_file=directory / "token",
            **settings,
        )
        self._count = itertools.count(1)
        self._channels: list[grpc.Channel] = []
        self.server = EmbeddedServer(self._settings, tracer_provider)

    def __enter__(self) -> World:
        self.server.__enter__()
        secret = (self.directory / "token").read_text().strip()
        self.admin = Person(self.open_channel(), secret)
        self.admin.user = self.admin.get(self.admin.access.WhoAmI, WhoAmIRequest()).user
        return self

    def __exit__(self, *error: Any) -> None:
        for channel in self._channels:
            channel.close()
        self.server.__exit__(*error)

    def open_channel(self) -> grpc.Channel:
        channel = grpc.insecure_channel(
            self.server.target, options=[("grpc.max_receive_message_length", -1)]
        )
        self._channels.append(channel)
        return channel

    @property
    def stranger(self) -> Person:
        """Nobody: no credentials."""
        return Person(self.admin.channel, None)

    def user(
        self,
        *roles: Role.ValueType,
        tier: Tier.ValueType = Tier.TIER_ENTERPRISE,
        scopes: Sequence[str] = (),
    ) -> Person:
        """A new user with a token; DEVELOPER unless it is said."""
        number = next(self._count)
        request = CreateUserRequest(
            email=f"person{number}@example.com",
            name=f"Person {number}",
            tier=tier,
            roles=roles or (Role.ROLE_DEVELOPER,),
        )
        user = self.admin.get(self.admin.users.CreateUser, request)
        return Person(self.admin.channel, self.token(user.id, scopes), user)

    def token(self, user_id: str, scopes: Sequence[str] = ()) -> str:
        request = CreateTokenRequest(user_id=user_id, name="test", scopes=scopes)
        return str(self.admin.get(self.admin.access.CreateToken, request).secret)

    def project(self, owner: Person, **fields: Any) -> Project:
        fields.setdefault("name", f"project {next(self._count)}")
        made: Project = owner.get(owner.projects.CreateProject, CreateProjectRequest(**fields))
        return made

    def join(self, project: Project, person: Person, role: ProjectRole.ValueType) -> None:
        request = AddProjectMemberRequest(project_id=project.id, user_id=person.id, role=role)
        self.admin.get(self.admin.projects.AddProjectMember, request)

    def workflow(self, owner: Person, project: Project, **fields: Any) -> Workflow:
        made: Workflow = owner.get(
            owner.workflows.CreateWorkflow, self.new_workflow(project.id, **fields)
        )
        return made

    def new_workflow(self, project_id: str, **fields: Any) -> CreateWorkflowRequest:
        if "spec" not in fields:
            fields["spec"] = spec(f"workflow {next(self._count)}")
        return CreateWorkflowRequest(project_id=project_id, **fields)

    def in_transaction(self, command: Callable[[Transaction], T]) -> T:
        """Do something in the server's store, past its rules."""
        return self.server.run(self.server.running.services.store.write(command))

    def audit(self, wanted: Callable[[AuditRecord], bool] = lambda _: True) -> list[AuditRecord]:
        """The audit log so far, read past the server."""
        records = (
            AuditRecord.FromString(record)
            for (record,) in self.query("SELECT record FROM audit_log ORDER BY sequence")
        )
        return [record for record in records if wanted(record)]

    def query(self, statement: str) -> list[Any]:
        """What a statement finds in the database, past the server."""
        with self._session(read_only=True) as session:
            return session.execute(statement).fetchall()

    def execute(self, *statements: str) -> None:
        """Change the database past the server."""
        with self._session(read_only=False) as session:
            for statement in statements:
                assert session.execute(statement).rowcount, statement

    def stored_bytes(self) -> bytes:
        """Every value of every table, one after the other."""
        names = [table._meta.table_name for table in TABLES]
        rows = (row for name in names for row in self.query(f"SELECT * FROM {name}"))  # noqa: S608
        values = (value for row in rows for value in row)
        return b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in values)

    @contextmanager
    def _session(self, *, read_only: bool) -> Iterator[Session]:
        session = parse_url(self.database_url).open(read_only=read_only)
        try:
            yield session
        finally:
            session.close()


def step(name: str, *depends_on: str, **fields: Any) -> WorkflowStep:
    fields.setdefault("command", f"echo {name}")
    return WorkflowStep(name=name, depends_on=depends_on, **fields)


def spec(name: str, *steps: WorkflowStep) -> WorkflowSpec:
    return WorkflowSpec(name=name, steps=steps or (step("only"),))


def read_refusal(error: grpc.RpcError) -> Refusal:
    call: Any = error
    trailing = _trailing(call)
    status = status_pb2.Status.FromString(_bytes(trailing.get("grpc-status-details-bin", b"")))
    details: dict[str, Any] = {}
    for packed in status.details:
        for kind in _DETAILS:
            if packed.TypeName() == kind.DESCRIPTOR.full_name:
                details[kind.DESCRIPTOR.name] = kind.FromString(packed.value)
    info = details.get("ErrorInfo", error_details_pb2.ErrorInfo())
    return Refusal(
        code=call.code(),
        message=call.details(),
        reason=info.reason,
        metadata=dict(info.metadata),
        details=details,
        trailing=trailing,
    )


def _trailing(call: Any) -> dict[str, str | bytes]:
    return dict(call.trailing_metadata() or ())  # pairs, named ones or not


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
