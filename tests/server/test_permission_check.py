"""CheckAccess says, of every cell, what a try would end in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pytest

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest
from tests.server.permission_matrix import TABLE, Cell, Who
from tests.server.permission_requests import Met
from tests.server.permission_wire import Ask
from tests.server.permission_world import MatrixWorld

CHECKS_AT_ONCE: Final = 100
SHOWN: Final = 20

Resource = Callable[[Met], str]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    with MatrixWorld(tmp_path_factory.mktemp("matrix")) as made:
        yield made


def _none(_: Met) -> str:
    return ""


def _user(met: Met) -> str:
    return met.user.id


def _project(met: Met) -> str:
    return met.project_id


def _workflow(met: Met) -> str:
    return met.workflow_id


def _execution(met: Met) -> str:
    return met.execution_id


def _extension(met: Met) -> str:
    return met.holdings.extensions[met.cell.mine]


def _token(met: Met) -> str:
    return met.holdings.token_id if met.cell.mine else met.world.other_token_id


CHECKED: Final[Mapping[str, tuple[str, Resource]]] = {
    "users.create": ("UserService/CreateUser", _none),
    "users.list": ("UserService/ListUsers", _none),
    "users.read": ("UserService/GetUser", _user),
    "users.find": ("UserService/GetUserByEmail", _user),
    "users.update": ("UserService/UpdateUser: name", _user),
    "users.administer": ("UserService/UpdateUser: tier", _user),
    "users.delete": ("UserService/DeleteUser", _user),
    "projects.create": ("ProjectService/CreateProject", _none),
    "projects.list": ("ProjectService/ListProjects", _none),
    "projects.read": ("ProjectService/GetProject", _project),
    "projects.update": ("ProjectService/UpdateProject", _project),
    "projects.delete": ("ProjectService/DeleteProject", _project),
    "projects.manage_members": ("ProjectService/AddProjectMember", _project),
    "workflows.create": ("WorkflowService/CreateWorkflow", _project),
    "workflows.list": ("WorkflowService/ListWorkflows", _none),
    "workflows.read": ("WorkflowService/GetWorkflow", _workflow),
    "workflows.update": ("WorkflowService/UpdateWorkflow: shared", _workflow),
    "workflows.delete": ("WorkflowService/DeleteWorkflow", _workflow),
    "executions.start": ("ExecutionService/StartExecution", _workflow),
    "executions.list": ("ExecutionService/ListExecutions", _none),
    "executions.read": ("ExecutionService/GetExecution", _execution),
    "executions.update": ("ExecutionService/UpdateExecution", _execution),
    "executions.cancel": ("ExecutionService/CancelExecution", _execution),
    "extensions.install": ("ExtensionService/InstallExtension", _project),
    "extensions.list": ("ExtensionService/ListExtensions", _none),
    "extensions.read": ("ExtensionService/GetExtension", _extension),
    "extensions.update": ("ExtensionService/UpdateExtension", _extension),
    "extensions.uninstall": ("ExtensionService/UninstallExtension", _extension),
    "tokens.create": ("AccessService/CreateToken", _user),
    "tokens.list": ("AccessService/ListTokens", _user),
    "tokens.revoke": ("AccessService/RevokeToken", _token),
    "access.whoami": ("AccessService/WhoAmI", _none),
    "access.check": ("AccessService/CheckAccess", _user),
    "audit.read": ("AuditService/GetAuditTreeHead", _none),
    "changes.watch": ("ChangeService/Watch", _none),
}
"""Permission → the row of what it permits, and what it is asked for. ExplainDecision is not
among them, for a decision is no resource to CheckAccess, nor is ExecuteTransaction, which its
operations decide."""


def questions() -> dict[Who, list[tuple[str, Cell]]]:
    """Caller → each permission and cell to ask about."""
    asked: dict[Who, list[tuple[str, Cell]]] = defaultdict(list)
    for permission, (key, _) in CHECKED.items():
        for cell in TABLE[key].cells():
            asked[cell.who].append((permission, cell))
    return asked


def test_a_check_says_what_a_try_would(matrix: MatrixWorld) -> None:
    asks, asked = [], []
    for who, all_questions in questions().items():
        for start in range(0, len(all_questions), CHECKS_AT_ONCE):
            some = all_questions[start : start + CHECKS_AT_ONCE]
            checks = [
                AccessCheck(
                    permission=permission, resource_id=CHECKED[permission][1](Met(matrix, cell))
                )
                for permission, cell in some
            ]
            user_id = matrix.people[who].person.id
            request = CheckAccessRequest(user_id=user_id, checks=checks)
            asks.append(Ask("AccessService/CheckAccess", request, matrix.world.admin))
            asked += some
    told = [d for answer in matrix.wire.ask(asks) for d in answer.response.decisions]
    differ = []
    for (permission, cell), decision in zip(asked, told, strict=True):
        reason = next(iter(TABLE[CHECKED[permission][0]].lacking(cell)), "")
        if (decision.allowed, decision.reason) != (not reason, reason):
            differ.append(f"  {permission}, {cell}: should be {reason}, is {decision.reason}")
    assert not differ, f"{len(differ)} of {len(asked)}:\n" + "\n".join(differ[:SHOWN])
