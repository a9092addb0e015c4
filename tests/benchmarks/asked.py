"""The calls that are measured: their bytes, and what the server answered to them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest, CreateTokenRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
)
from tests.benchmarks.load import MARK, Plan
from tests.server.world import Person

STEPS: Final = 10
PAGE: Final = 50
TRANSACTION: Final = 100
"""Workflows of a transaction: as many as there may be."""


@dataclass(frozen=True)
class Call:
    """A kind of call."""

    name: str
    """As the table shows it."""
    method: str
    callers: int = 64
    units: int = 1
    """What one call counts for."""


CALLS: Final[Mapping[str, Call]] = {
    "get": Call("GetWorkflow", "WorkflowService/GetWorkflow"),
    "list": Call("ListWorkflows", "WorkflowService/ListWorkflows", callers=16),
    "create": Call("CreateWorkflow", "WorkflowService/CreateWorkflow"),
    "transaction": Call(
        f"Create in {TRANSACTION}s",
        "TransactionService/ExecuteTransaction",
        callers=4,
        units=TRANSACTION,
    ),
    "check": Call("CheckAccess", "AccessService/CheckAccess"),
}
"""By the name that `--only` takes."""


@dataclass(frozen=True)
class Asked:
    """Requests to one server, ready to be sent, and the answers to them."""

    bearer: tuple[tuple[str, str], ...]
    requests: Mapping[str, bytes]
    """Call → request; a name is to be put where the mark is."""
    answers: Mapping[str, bytes]

    def plan(self, name: str, target: str, **size: Any) -> Plan:
        """The plan of a call at the server."""
        return Plan(
            target=target,
            method=f"/symphony.v1.{CALLS[name].method}",
            request=self.requests[name],
            metadata=self.bearer,
            callers=CALLS[name].callers,
            **size,
        )

    def echo_plan(self, name: str, target: str, **size: Any) -> Plan:
        """The plan of the same bytes there and back at the echo."""
        return Plan(
            target=target,
            method=f"/echo.Echo/{name}",
            request=self.requests[name],
            callers=CALLS[name].callers,
            **size,
        )

    def watch_plan(self, target: str, **size: Any) -> Plan:
        """The plan of streams that watch everything, and creates to be told of."""
        return Plan(
            kind="watch",
            target=target,
            method=f"/symphony.v1.{CALLS['create'].method}",
            request=self.requests["create"],
            metadata=self.bearer,
            stream_method="/symphony.v1.ChangeService/Watch",
            stream_request=WatchRequest().SerializeToString(),
            **size,
        )


def prepare(target: str, admin_token: Path) -> Asked:
    """Make a DEVELOPER with a project and a page of workflows, who makes all the calls."""
    with grpc.insecure_channel(target) as channel:
        admin = Person(channel, admin_token.read_text().strip())
        user = admin.get(
            admin.users.CreateUser,
            CreateUserRequest(
                email="developer@localhost",
                name="Developer",
                tier=Tier.TIER_ENTERPRISE,
                roles=[Role.ROLE_DEVELOPER],
            ),
        )
        token = admin.get(
            admin.access.CreateToken, CreateTokenRequest(user_id=user.id, name="bench")
        )
        owner = Person(channel, token.secret, user)
        project = owner.get(owner.projects.CreateProject, CreateProjectRequest(name="Bench"))
        made = [
            owner.get(owner.workflows.CreateWorkflow, _new(project.id, f"first {number:06}"))
            for number in range(PAGE + 1)
        ]
        requests: dict[str, Message] = {
            "get": GetWorkflowRequest(id=made[0].id),
            "list": ListWorkflowsRequest(page_size=PAGE),
            "create": _new(project.id, MARK.decode()),
            "transaction": ExecuteTransactionRequest(
                operations=[
                    TransactionOperation(create_workflow=_new(project.id, f"{MARK.decode()}{n:02}"))
                    for n in range(TRANSACTION)
                ]
            ),
            "check": CheckAccessRequest(
                checks=[AccessCheck(permission="workflows.update", resource_id=made[0].id)]
            ),
        }
        methods = {
            "get": owner.workflows.GetWorkflow,
            "list": owner.workflows.ListWorkflows,
            "create": owner.workflows.CreateWorkflow,
            "transaction": owner.transactions.ExecuteTransaction,
            "check": owner.access.CheckAccess,
        }
        answers = {name: owner.get(methods[name], request) for name, request in requests.items()}
    return Asked(
        bearer=(("authorization", f"Bearer {token.secret}"),),
        requests={name: request.SerializeToString() for name, request in requests.items()},
        answers={name: answer.SerializeToString() for name, answer in answers.items()},
    )


def _new(project_id: str, name: str) -> CreateWorkflowRequest:
    return CreateWorkflowRequest(
        project_id=project_id, spec=WorkflowSpec(name=name, steps=ten_steps())
    )


def ten_steps() -> Sequence[WorkflowStep]:
    """Steps one after the other."""
    return [
        WorkflowStep(
            name=f"step{n}", command=f"echo step {n}", depends_on=[f"step{n - 1}"] if n else []
        )
        for n in range(STEPS)
    ]
