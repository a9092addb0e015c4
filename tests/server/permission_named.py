"""What requests name besides what they address, or address without being told of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest
from symphony.v1.audit_service_pb2 import ListAuditRecordsRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_service_pb2 import ListExecutionsRequest, StartExecutionRequest
from symphony.v1.extension_service_pb2 import ListExtensionsRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import CreateUserRequest, UpdateUserRequest
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from tests.server.permission_matrix import RELATIONS, Cell
from tests.server.permission_pairs import with_value
from tests.server.permission_requests import REQUESTS, Met
from tests.server.permission_world import BOTH

Roles = tuple[str, ...]
PLAIN: Final = ("VIEWER", "DEVELOPER", "SERVICE")
"""The roles that let nobody read what is not theirs."""


@dataclass(frozen=True)
class Naming:
    """A request that names something which its caller may not know of."""

    path: str
    request: Callable[[Met], Any]
    """The request, naming what is hidden."""
    roles: Roles = PLAIN
    relations: Roles = ("",)
    allowed: bool = False
    """Whether some may do it, so that it is only validated."""

    def cells(self) -> Iterator[Cell]:
        for role, relation, full in itertools.product(self.roles, self.relations, BOTH):
            yield Cell(role, relation, "PRO", "ACTIVE", full, False, False, False)


def _named(key: str, path: str, hidden: Callable[[Met], str]) -> Callable[[Met], Any]:
    return lambda met: with_value(REQUESTS[key](met), path, hidden(met))


def _other(met: Met) -> Any:
    """Holdings of somebody else in a project of others."""
    return met.world.holdings(replace(met.cell, role="DEVELOPER", relation="OWNER", tier="FREE"))


def _newcomer(met: Met) -> str:
    return met.world.newcomer.person.id


def _foreign_extension(met: Met) -> str:
    return str(_other(met).extensions[False])


def _checked(permission: str, hidden: Callable[[Met], str]) -> Callable[[Met], Any]:
    return lambda met: CheckAccessRequest(
        checks=[AccessCheck(permission=permission, resource_id=hidden(met))]
    )


def _supposed(hidden: Callable[[Met], str], **condition: Any) -> Callable[[Met], Any]:
    create = CreateProjectRequest(name="new")
    return lambda met: ExecuteTransactionRequest(
        preconditions=[Precondition(resource_id=hidden(met), **condition)],
        operations=[TransactionOperation(create_project=create)],
    )


def _workflow(met: Met) -> str:
    return str(_other(met).workflows[False, False])


def _execution(met: Met) -> str:
    return str(_other(met).executions[False, False, False])


def _project(met: Met) -> str:
    return str(_other(met).projects[False])


def _in_project(key: str, **shape: str) -> Callable[[Met], Any]:
    """A creation in a project that nothing is known of, with a body that something there
    speaks against.
    """

    def made(met: Met) -> Any:
        request: Any = REQUESTS[key](met)
        other = _other(met)
        request.project_id = other.projects[False]
        if shape.get("name") == "taken":
            request.spec.name = met.world.name_of[other.workflows[False, False]]
        if shape.get("extension") == "installed":
            request.spec.steps[0].extension_id = other.extensions[False]
        if shape.get("manifest") == "taken":
            request.manifest = request.manifest.replace("word-count", "installed-00")
        return request

    return made


CREATE, INSTALL = "WorkflowService/CreateWorkflow", "ExtensionService/InstallExtension"
OUTSIDERS: Final = (*PLAIN, "AUDITOR")
"""Who has no relation to a project named in a create hears the same whether it exists; an AUDITOR
too, who could read it.
"""

WATCHED: Final = Naming("project_ids", lambda met: WatchRequest(project_ids=[_project(met)]))
"""The projects of a watch, which goes on for as long as it is let."""

NAMED: Final[Mapping[str, Naming]] = {
    CREATE: Naming("project_id", _in_project(CREATE), OUTSIDERS),
    f"{CREATE}: a name that is taken there": Naming(
        "project_id", _in_project(CREATE, name="taken"), PLAIN
    ),
    f"{CREATE}: an extension that is installed there": Naming(
        "project_id", _in_project(CREATE, extension="installed"), PLAIN
    ),
    f"{CREATE}: a step": Naming(
        "spec.steps.extension_id",
        _named(CREATE, "spec.steps.extension_id", _foreign_extension),
        PLAIN,
        RELATIONS,
    ),
    f"{CREATE}: an owner": Naming(
        "user_id", _named(CREATE, "user_id", _newcomer), PLAIN, RELATIONS
    ),
    INSTALL: Naming("project_id", _in_project(INSTALL), OUTSIDERS),
    f"{INSTALL}: a name that is taken there": Naming(
        "project_id", _in_project(INSTALL, manifest="taken"), PLAIN
    ),
    "WorkflowService/UpdateWorkflow: a step": Naming(
        "workflow.spec.steps.extension_id",
        _named(
            "WorkflowService/UpdateWorkflow: 11 steps, 10 min 1 s",
            "workflow.spec.steps.extension_id",
            _foreign_extension,
        ),
        PLAIN,
        RELATIONS,
    ),
    "ProjectService/CreateProject: an allowed extension": Naming(
        "constraints.allowed_extension_ids",
        _named(
            "ProjectService/CreateProject", "constraints.allowed_extension_ids", _foreign_extension
        ),
        allowed=True,
    ),
    "ProjectService/UpdateProject: an allowed extension": Naming(
        "project.constraints.allowed_extension_ids",
        _named(
            "ProjectService/UpdateProject",
            "project.constraints.allowed_extension_ids",
            _foreign_extension,
        ),
        PLAIN,
        RELATIONS,
        allowed=True,
    ),
    # An OWNER finds users, to add them.
    "ProjectService/AddProjectMember: a user": Naming(
        "user_id", REQUESTS["ProjectService/AddProjectMember"], PLAIN, RELATIONS[:-1]
    ),
    "ProjectService/UpdateProjectMember: a user": Naming(
        "project_member.user_id",
        _named("ProjectService/UpdateProjectMember", "project_member.user_id", _newcomer),
        PLAIN,
        RELATIONS,
    ),
    "ProjectService/RemoveProjectMember: a user": Naming(
        "user_id",
        _named("ProjectService/RemoveProjectMember", "user_id", _newcomer),
        PLAIN,
        RELATIONS,
    ),
    "AccessService/CreateToken: a user": Naming("user_id", REQUESTS["AccessService/CreateToken"]),
    "AccessService/ListTokens: a user": Naming("user_id", REQUESTS["AccessService/ListTokens"]),
    "AccessService/CheckAccess: a user": Naming("user_id", REQUESTS["AccessService/CheckAccess"]),
    **{
        f"AccessService/CheckAccess: {permission}": Naming(
            "checks.resource_id", _checked(permission, hidden)
        )
        for permission, hidden in {
            "users.read": _newcomer,
            "projects.read": _project,
            "projects.update": _project,
            "workflows.create": _project,
            "workflows.read": _workflow,
            "workflows.delete": _workflow,
            "executions.start": _workflow,
            "executions.cancel": _execution,
            "extensions.install": _project,
            "extensions.update": _foreign_extension,
            "tokens.revoke": lambda met: met.world.other_token_id,
        }.items()
    },
    **{
        f"TransactionService/ExecuteTransaction: {condition}={value} of a {kind}": Naming(
            "preconditions.resource_id", _supposed(hidden, **{condition: value}), allowed=True
        )
        for kind, hidden in {
            "user": _newcomer,
            "project": _project,
            "workflow": _workflow,
            "execution": _execution,
            "extension": _foreign_extension,
        }.items()
        for condition, value in (("exists", True), ("exists", False), ("etag", "1"))
    },
    "ProjectService/ListProjects: an owner": Naming(
        "owner_id", lambda met: ListProjectsRequest(owner_id=_other(met).person.id)
    ),
    "WorkflowService/ListWorkflows: a project": Naming(
        "project_id", lambda met: ListWorkflowsRequest(project_id=_project(met))
    ),
    "WorkflowService/ListWorkflows: an owner": Naming(
        "user_id", lambda met: ListWorkflowsRequest(user_id=_other(met).person.id)
    ),
    "ExecutionService/ListExecutions: a workflow": Naming(
        "workflow_id",
        lambda met: ListExecutionsRequest(workflow_id=_other(met).run_workflows[False, False]),
    ),
    "ExecutionService/ListExecutions: a user": Naming(
        "user_id", lambda met: ListExecutionsRequest(user_id=_other(met).person.id)
    ),
    "ExtensionService/ListExtensions: a project": Naming(
        "project_id", lambda met: ListExtensionsRequest(project_id=_project(met))
    ),
    "AuditService/GetAuditRecord: a record": Naming("id", REQUESTS["AuditService/GetAuditRecord"]),
    "AuditService/GetInclusionProof: a record": Naming(
        "id", REQUESTS["AuditService/GetInclusionProof"]
    ),
    "AuditService/ListAuditRecords: a caller": Naming(
        "caller_id", lambda met: ListAuditRecordsRequest(caller_id=_other(met).person.id)
    ),
    "AuditService/ListAuditRecords: a user": Naming(
        "user_id", lambda met: ListAuditRecordsRequest(user_id=_other(met).person.id)
    ),
    # A chosen id that is taken is told to whoever may create; who may not learns nothing.
    "UserService/CreateUser: an id": Naming(
        "user_id", _named("UserService/CreateUser", "user_id", _newcomer)
    ),
    "ProjectService/CreateProject: an id": Naming(
        "project_id",
        _named("ProjectService/CreateProject", "project_id", _project),
        ("VIEWER", "SERVICE"),
    ),
    f"{CREATE}: an id": Naming(
        "workflow_id", _named(CREATE, "workflow_id", _workflow), ("VIEWER", "SERVICE"), RELATIONS
    ),
    f"{INSTALL}: an id": Naming(
        "extension_id",
        _named(INSTALL, "extension_id", _foreign_extension),
        ("VIEWER", "SERVICE"),
        RELATIONS,
    ),
    "ExecutionService/StartExecution: an id": Naming(
        "execution_id",
        lambda met: StartExecutionRequest(
            workflow_id=met.holdings.workflows[False, True], execution_id=_execution(met)
        ),
        PLAIN,
        ("", "VIEWER"),
    ),
    "AccessService/CreateToken: an id": Naming(
        "token_id",
        _named("AccessService/CreateToken", "token_id", lambda met: met.world.other_token_id),
    ),
    # Only who may find a user by its address may learn that somebody has it.
    "UserService/CreateUser: an address": Naming(
        "email",
        lambda met: CreateUserRequest(email=met.world.newcomer.person.user.email, name="New"),
    ),
    "UserService/UpdateUser: an address": Naming(
        "user.email",
        lambda met: UpdateUserRequest(
            user=User(id=met.holdings.person.id, email=met.world.newcomer.person.user.email)
        ),
    ),
}
"""RPC, and what is named → the request."""
