"""Who may do what, RPC by RPC: access.md written down once more, as a plain table.

Nothing here is read off the server. A row says, for one RPC (and, after a colon, for one way
of asking it), who may know of what the request addresses, and for each reason of a refusal who
is *not* refused for it. Who knows nothing hears RESOURCE_NOT_FOUND and no more; who lacks
something hears every reason, in the order of the row: role, then resource, then tier.

The words of a row, which are true of a caller and of what it addresses:

    *                      always
    VIEWER … SERVICE       the caller has the system role
    FREE PRO ENTERPRISE    the caller has the tier
    self                   the user, or whose token or decision it is, is the caller
    owner                  the caller owns the workflow, or that of the execution
    starter                the caller started the execution
    >=COLLABORATOR         the caller is that or more in the project
    shared                 the workflow is shared, and the caller has any relation to the project
    shared>=COLLABORATOR   the workflow is shared, and the caller is that or more
    owns                   the caller is OWNER of any project
    below                  the caller, or the project, holds less than the caller's tier allows
    outsider               the caller may not read the project
    unrelated              the caller has no relation to the project

Having made a project, or having installed an extension, is no word: it gives nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final

import grpc

ROLES: Final = ("VIEWER", "DEVELOPER", "ADMIN", "AUDITOR", "SERVICE")
RELATIONS: Final = ("", "VIEWER", "COLLABORATOR", "OWNER")
TIERS: Final = ("FREE", "PRO", "ENTERPRISE")
STATES: Final = ("ACTIVE", "SUSPENDED")
MAX_WORKFLOWS: Final = {"FREE": 10, "PRO": 200}
MAX_EXTENSIONS: Final = {"FREE": 3, "PRO": 50}

CODES: Final = {
    "ROLE_REQUIRED": grpc.StatusCode.PERMISSION_DENIED,
    "PROJECT_ACCESS_REQUIRED": grpc.StatusCode.PERMISSION_DENIED,
    "OWNER_REQUIRED": grpc.StatusCode.PERMISSION_DENIED,
    "RESOURCE_ACCESS_REQUIRED": grpc.StatusCode.PERMISSION_DENIED,
    "ACT_AS_NOT_ALLOWED": grpc.StatusCode.PERMISSION_DENIED,
    "TOKEN_SCOPE_REQUIRED": grpc.StatusCode.PERMISSION_DENIED,
    "USER_SUSPENDED": grpc.StatusCode.PERMISSION_DENIED,
    "CREDENTIALS_MISSING": grpc.StatusCode.UNAUTHENTICATED,
    "RESOURCE_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "ALREADY_MEMBER": grpc.StatusCode.ALREADY_EXISTS,
    "RESOURCE_IN_USE": grpc.StatusCode.FAILED_PRECONDITION,
    "TIER_STEP_LIMIT": grpc.StatusCode.FAILED_PRECONDITION,
    "TIER_DURATION_LIMIT": grpc.StatusCode.FAILED_PRECONDITION,
    "TIER_WORKFLOW_LIMIT": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "TIER_EXTENSION_LIMIT": grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""Reason → code, from the contract's table of errors."""


@dataclass(frozen=True)
class Who:
    """One kind of caller."""

    role: str
    relation: str
    tier: str
    state: str
    full: bool
    """Whether it owns as many workflows, and its projects as many extensions, as its tier
    allows; otherwise there is room for one more."""


@dataclass(frozen=True)
class Cell(Who):
    """One kind of caller and one thing that it addresses."""

    mine: bool
    """A user, token or decision: the caller's. A workflow: it owns it. A project: it made it,
    whatever it is to it now. An extension: it installed it."""
    shared: bool
    started: bool

    def __str__(self) -> str:
        told = [self.role, f"{self.relation or 'no'} relation", self.tier, self.state]
        return ", ".join([*told, *(name for name in _FLAGS if getattr(self, name))])

    @property
    def who(self) -> Who:
        return Who(*(getattr(self, each.name) for each in fields(Who)))

    def holds(self, words: str) -> bool:
        """Whether any of the words is true."""
        true = {"*", self.role, self.tier}
        true |= {"self", "owner"} if self.mine else set()
        true |= {"starter"} if self.started else set()
        relations = RELATIONS[1 : RELATIONS.index(self.relation) + 1]
        true |= {f">={name}" for name in relations}
        if self.shared:
            true |= {"shared"} if relations else set()
            true |= {f"shared>={name}" for name in relations}
        true |= {"owns"} if self.relation == "OWNER" else set()
        true |= {"below"} if not self.full or self.tier == "ENTERPRISE" else set()
        true |= {"unrelated"} if not relations else set()
        true |= {"outsider"} if not relations and self.role != "ADMIN" else set()
        return not true.isdisjoint(words.split())


@dataclass(frozen=True)
class Row:
    """Who may do one thing."""

    knows: str
    """Who may know of what the request addresses."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Reason → who is not refused for it."""
    addresses: str = ""
    """Which of `mine`, `shared`, `started` a request can tell apart, and `full` where a limit
    of the tier concerns it."""
    then: Mapping[str, str] = field(default_factory=dict)
    """Reason → who hears it from the rules that come after authorization, which are no matter
    of access.md's table, but which `validate_only` asks of everybody who knows."""
    tiers: tuple[str, ...] = TIERS
    anonymous: bool = False
    """Whether no credentials are needed, so that nobody is refused for anything."""

    def cells(self) -> Iterator[Cell]:
        """Every cell of the row."""
        both = (False, True)
        told_apart = self.addresses.split()
        flags = [both if name in told_apart else (False,) for name in _FLAGS]
        for who in itertools.product(ROLES, RELATIONS, self.tiers, STATES):
            for said in itertools.product(*flags):
                yield Cell(*who, *said)

    def hides(self, cell: Cell) -> bool:
        """Whether what is addressed must look to a cell's caller as if it were not there."""
        return not self.anonymous and cell.state == "ACTIVE" and not cell.holds(self.knows)

    def lacking(self, cell: Cell) -> tuple[str, ...]:
        """Every reason for which a cell's caller may not do it, in order; none when it may."""
        if self.anonymous:
            return ()
        if cell.state == "SUSPENDED":
            return ("USER_SUSPENDED",)
        if self.hides(cell):
            return ("RESOURCE_NOT_FOUND",)
        return tuple(reason for reason, words in self.needs.items() if not cell.holds(words))

    def reasons(self, cell: Cell) -> tuple[str, ...]:
        """The same and, where the caller may know, what later rules have against it: all that
        `validate_only` tells.
        """
        lacking = self.lacking(cell)
        if cell.state == "SUSPENDED" or self.hides(cell):
            return lacking
        return lacking + tuple(reason for reason, words in self.then.items() if cell.holds(words))


_FLAGS: Final = ("full", "mine", "shared", "started")

READS_USER: Final = "self ADMIN AUDITOR"
READS_PROJECT: Final = ">=VIEWER ADMIN AUDITOR"
READS_WORKFLOW: Final = "owner >=OWNER shared ADMIN AUDITOR"
READS_EVERYTHING: Final = "ADMIN AUDITOR"

_NOBODY = ""
_ONE = TIERS[:1]
"""The tier in which a row is walked that is another one's in all but what is asked."""

_ADMINISTERS = {"ROLE_REQUIRED": "ADMIN"}
_OWNS_PROJECT = {"OWNER_REQUIRED": ">=OWNER ADMIN"}
_OWNS_WORKFLOW = {"OWNER_REQUIRED": "owner >=OWNER ADMIN"}
_RUNS = {"OWNER_REQUIRED": "starter owner ADMIN"}
_MAKES = {
    "ROLE_REQUIRED": "DEVELOPER ADMIN",
    "PROJECT_ACCESS_REQUIRED": ">=COLLABORATOR ADMIN",
}
_MAKES_WORKFLOW = {**_MAKES, "TIER_WORKFLOW_LIMIT": "below"}
# How many extensions a project has is not for those who may not read it.
_INSTALLS = {**_MAKES, "TIER_EXTENSION_LIMIT": "below outsider"}
_FOR_ITSELF = {"ROLE_REQUIRED": "self ADMIN"}
_READS_LOG = {"ROLE_REQUIRED": "ADMIN AUDITOR"}
_FREE = {"TIER_STEP_LIMIT": "FREE", "TIER_DURATION_LIMIT": "FREE"}
_FREE_AND_PRO = {"TIER_STEP_LIMIT": "FREE PRO", "TIER_DURATION_LIMIT": "FREE PRO"}

_TABLE: Final[Mapping[str, Row]] = {
    # "create, delete, list users; change tier, roles, state, email | is ADMIN (AUDITOR may list)"
    "UserService/CreateUser": Row("*", _ADMINISTERS),
    "UserService/DeleteUser": Row(READS_USER, _ADMINISTERS, "mine", {"RESOURCE_IN_USE": "self"}),
    "UserService/ListUsers": Row("*", {"ROLE_REQUIRED": "ADMIN AUDITOR"}),
    "UserService/UpdateUser: tier": Row(READS_USER, _ADMINISTERS, "mine"),
    "UserService/UpdateUser: roles": Row(READS_USER, _ADMINISTERS, "mine"),
    "UserService/UpdateUser: state": Row(READS_USER, _ADMINISTERS, "mine"),
    "UserService/UpdateUser: email": Row(READS_USER, _ADMINISTERS, "mine"),
    "UserService/UpdateUser: name and tier": Row(READS_USER, _ADMINISTERS, "mine"),
    # "change own name | is that user"; ADMIN is "everything".
    "UserService/UpdateUser: name": Row(READS_USER, {"ROLE_REQUIRED": "self ADMIN"}, "mine"),
    # "read a user, its capabilities | is that user, ADMIN or AUDITOR"
    "UserService/GetUser": Row(READS_USER, {}, "mine"),
    "UserService/GetUserCapabilities": Row(READS_USER, {}, "mine"),
    # "find a user by e-mail | is that user, ADMIN, AUDITOR, or an owner of any project"
    "UserService/GetUserByEmail": Row("self ADMIN AUDITOR owns", {}, "mine"),
    # "create a project | has DEVELOPER or ADMIN"
    "ProjectService/CreateProject": Row("*", {"ROLE_REQUIRED": "DEVELOPER ADMIN"}),
    # "read a project, its constraints, members | has any relation to it, or is ADMIN / AUDITOR"
    "ProjectService/GetProject": Row(READS_PROJECT, {}, "mine"),
    "ProjectService/GetProjectConstraints": Row(READS_PROJECT, {}, "mine"),
    "ProjectService/ListProjectMembers": Row(READS_PROJECT, {}, "mine"),
    "ProjectService/ListProjects": Row("*", {}, "mine"),
    "ProjectService/ListProjects: everywhere": Row("*"),
    # "update or delete a project, manage members | is its OWNER, or ADMIN. Deleting needs it
    # empty"
    "ProjectService/UpdateProject": Row(READS_PROJECT, _OWNS_PROJECT, "mine"),
    "ProjectService/DeleteProject": Row(READS_PROJECT, _OWNS_PROJECT, "mine"),
    "ProjectService/DeleteProject: not empty": Row(
        READS_PROJECT, _OWNS_PROJECT, "mine", {"RESOURCE_IN_USE": "*"}
    ),
    "ProjectService/AddProjectMember": Row(READS_PROJECT, _OWNS_PROJECT, "mine"),
    "ProjectService/AddProjectMember: itself": Row(
        READS_PROJECT, _OWNS_PROJECT, "mine", {"ALREADY_MEMBER": ">=VIEWER"}
    ),
    "ProjectService/UpdateProjectMember": Row(READS_PROJECT, _OWNS_PROJECT, "mine"),
    "ProjectService/UpdateProjectMember: itself": Row(
        READS_PROJECT, _OWNS_PROJECT, "mine", {"RESOURCE_NOT_FOUND": "unrelated"}
    ),
    "ProjectService/RemoveProjectMember": Row(READS_PROJECT, _OWNS_PROJECT, "mine"),
    "ProjectService/RemoveProjectMember: itself": Row(
        READS_PROJECT, _OWNS_PROJECT, "mine", {"RESOURCE_NOT_FOUND": "unrelated"}
    ),
    # "create a workflow | role: DEVELOPER or ADMIN; resource: COLLABORATOR or OWNER of the
    # project; tier: below the workflow limit"
    "WorkflowService/CreateWorkflow": Row("*", _MAKES_WORKFLOW, "mine full"),
    # "`CreateWorkflowRequest.user_id`, if set, must be the effective user", ADMIN or not.
    "WorkflowService/CreateWorkflow: for itself": Row(
        "*", _MAKES_WORKFLOW, "mine full", tiers=_ONE
    ),
    "WorkflowService/CreateWorkflow: for another": Row(
        "*",
        {**_MAKES, "ACT_AS_NOT_ALLOWED": _NOBODY, "TIER_WORKFLOW_LIMIT": "below"},
        "mine full",
        tiers=_ONE,
    ),
    # The tiers' "steps a workflow" and "estimated duration", just within and just beyond.
    "WorkflowService/CreateWorkflow: 10 steps, 10 min": Row("*", _MAKES_WORKFLOW, "mine"),
    "WorkflowService/CreateWorkflow: 11 steps, 10 min 1 s": Row(
        "*", _MAKES_WORKFLOW, "mine", _FREE
    ),
    "WorkflowService/CreateWorkflow: 100 steps, 4 h": Row("*", _MAKES_WORKFLOW, "mine", _FREE),
    "WorkflowService/CreateWorkflow: 101 steps, 4 h 1 s": Row(
        "*", _MAKES_WORKFLOW, "mine", _FREE_AND_PRO
    ),
    # "read a workflow, its executions | owns it; or is OWNER of its project; or has any relation
    # to the project and it is shared; or ADMIN / AUDITOR"
    "WorkflowService/GetWorkflow": Row(READS_WORKFLOW, {}, "mine shared"),
    "WorkflowService/ListWorkflows": Row("*"),
    "WorkflowService/ListWorkflows: everywhere": Row("*"),
    "ExecutionService/GetExecution": Row(READS_WORKFLOW, {}, "mine shared started"),
    "ExecutionService/ListExecutions": Row("*", {}, "mine shared"),
    "ExecutionService/ListExecutions: everywhere": Row("*"),
    # "update, share, archive, delete a workflow | owns it, or is OWNER of its project, or ADMIN"
    "WorkflowService/UpdateWorkflow: description": Row(
        READS_WORKFLOW, _OWNS_WORKFLOW, "mine shared"
    ),
    "WorkflowService/UpdateWorkflow: shared": Row(READS_WORKFLOW, _OWNS_WORKFLOW, "mine shared"),
    "WorkflowService/UpdateWorkflow: status": Row(READS_WORKFLOW, _OWNS_WORKFLOW, "mine shared"),
    "WorkflowService/UpdateWorkflow: 11 steps, 10 min 1 s": Row(
        READS_WORKFLOW, _OWNS_WORKFLOW, "mine shared", _FREE
    ),
    "WorkflowService/DeleteWorkflow": Row(READS_WORKFLOW, _OWNS_WORKFLOW, "mine shared"),
    # "start an execution | owns the workflow; or it is shared and the user is COLLABORATOR or
    # OWNER of the project; or ADMIN"
    "ExecutionService/StartExecution": Row(
        READS_WORKFLOW,
        {"RESOURCE_ACCESS_REQUIRED": "owner shared>=COLLABORATOR ADMIN"},
        "mine shared",
    ),
    # "update or cancel an execution | started it, or owns the workflow, or ADMIN"
    "ExecutionService/UpdateExecution": Row(READS_WORKFLOW, _RUNS, "mine shared started"),
    "ExecutionService/CancelExecution": Row(READS_WORKFLOW, _RUNS, "mine shared started"),
    # "install, update, uninstall an extension | role DEVELOPER or ADMIN, and COLLABORATOR or OWNER
    # of the project"; the tier's "extensions a project".
    "ExtensionService/InstallExtension": Row("*", _INSTALLS, "mine full"),
    "ExtensionService/UpdateExtension": Row(READS_PROJECT, _MAKES, "mine"),
    "ExtensionService/UninstallExtension": Row(READS_PROJECT, _MAKES, "mine"),
    # "read an extension | can read its project"
    "ExtensionService/GetExtension": Row(READS_PROJECT, {}, "mine"),
    "ExtensionService/ListExtensions": Row("*"),
    "ExtensionService/ListExtensions: everywhere": Row("*"),
    # "make, list, revoke tokens | for itself; ADMIN for anyone"
    "AccessService/CreateToken": Row("*", _FOR_ITSELF, "mine"),
    "AccessService/ListTokens": Row("*", _FOR_ITSELF, "mine"),
    "AccessService/RevokeToken": Row("self ADMIN", {}, "mine"),
    # "check access, explain a decision | about itself; ADMIN / AUDITOR about anyone"
    "AccessService/CheckAccess": Row("*", {"ROLE_REQUIRED": "self ADMIN AUDITOR"}, "mine"),
    "AccessService/ExplainDecision": Row("self ADMIN AUDITOR", {}, "mine"),
    "AccessService/WhoAmI": Row("*"),
    # "read the audit log | is ADMIN or AUDITOR", what it says of oneself too.
    "AuditService/ListAuditRecords": Row("*", _READS_LOG, "mine"),
    "AuditService/GetAuditRecord": Row("*", _READS_LOG, "mine"),
    "AuditService/GetAuditTreeHead": Row("*", _READS_LOG),
    "AuditService/GetInclusionProof": Row("*", _READS_LOG, "mine"),
    "AuditService/GetConsistencyProof": Row("*", _READS_LOG),
    # "watch changes | anyone; receives only what it may read"
    "ChangeService/Watch": Row("*"),
    # The contract: "needs no credentials".
    "ServerInfoService/GetServerInfo": Row("*", anonymous=True),
}

OPERATIONS: Final = {
    "create_user": "UserService/CreateUser",
    "update_user": "UserService/UpdateUser: name",
    "delete_user": "UserService/DeleteUser",
    "create_project": "ProjectService/CreateProject",
    "update_project": "ProjectService/UpdateProject",
    "delete_project": "ProjectService/DeleteProject",
    "add_project_member": "ProjectService/AddProjectMember",
    "update_project_member": "ProjectService/UpdateProjectMember",
    "remove_project_member": "ProjectService/RemoveProjectMember",
    "create_workflow": "WorkflowService/CreateWorkflow",
    "update_workflow": "WorkflowService/UpdateWorkflow: shared",
    "delete_workflow": "WorkflowService/DeleteWorkflow",
    "start_execution": "ExecutionService/StartExecution",
    "update_execution": "ExecutionService/UpdateExecution",
    "cancel_execution": "ExecutionService/CancelExecution",
    "install_extension": "ExtensionService/InstallExtension",
    "update_extension": "ExtensionService/UpdateExtension",
    "uninstall_extension": "ExtensionService/UninstallExtension",
}
"""Operation of a transaction → the row it has alone: "validated, authorised and audited as if
alone" (contract.md)."""

_IN_EVERY_TIER = ("create_workflow", "update_workflow", "install_extension")
"""Each operation is walked alone in every tier, so that these will do for the transaction."""

TABLE: Final[Mapping[str, Row]] = {
    **_TABLE,
    **{
        f"TransactionService/ExecuteTransaction: {operation}": replace(
            _TABLE[alone], tiers=TIERS if operation in _IN_EVERY_TIER else _ONE
        )
        for operation, alone in OPERATIONS.items()
    },
}
"""`Service/RPC`, or `Service/RPC: the way it is asked` → who may."""


def rpc_of(key: str) -> str:
    """The `Service/RPC` of a row."""
    return key.partition(":")[0]


def hidden_cells(key: str) -> list[Cell]:
    """The cells of a row in which the caller may not know what there is."""
    return [c for c in TABLE[key].cells() if c.tier == "FREE" and TABLE[key].hides(c)]


def main() -> None:
    """Print how many cells the tests walk."""
    cells = sum(1 for row in TABLE.values() for _ in row.cells())
    hidden = sum(len(hidden_cells(key)) for key in TABLE)
    # Each is asked for in earnest and to be validated only.
    print(f"{len({rpc_of(key) for key in TABLE})} RPCs asked in {len(TABLE)} ways: {cells:,} cells")
    print(f"{2 * hidden:,} pairs of requests for what is hidden and for what is absent")


if __name__ == "__main__":
    main()
