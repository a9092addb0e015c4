"""Which use case answers which RPC, and through which door of the store.

A new RPC of the contract is served by adding its line here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from symphony_server.store.change_feed import ChangeFeed
from symphony_server.store.doors import Store
from symphony_server.use_cases.access.check_access import check_access
from symphony_server.use_cases.access.explain_decision import explain_decision
from symphony_server.use_cases.audit.get_audit_record import get_audit_record
from symphony_server.use_cases.audit.get_audit_tree_head import get_audit_tree_head
from symphony_server.use_cases.audit.get_consistency_proof import get_consistency_proof
from symphony_server.use_cases.audit.get_inclusion_proof import get_inclusion_proof
from symphony_server.use_cases.audit.list_audit_records import list_audit_records
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.changes.watch import Recheck, Send, watch
from symphony_server.use_cases.executions.cancel_execution import cancel_execution
from symphony_server.use_cases.executions.get_execution import get_execution
from symphony_server.use_cases.executions.list_executions import list_executions
from symphony_server.use_cases.executions.start_execution import start_execution
from symphony_server.use_cases.executions.update_execution import update_execution
from symphony_server.use_cases.extensions.get_extension import get_extension
from symphony_server.use_cases.extensions.install_extension import install_extension
from symphony_server.use_cases.extensions.list_extensions import list_extensions
from symphony_server.use_cases.extensions.uninstall_extension import uninstall_extension
from symphony_server.use_cases.extensions.update_extension import update_extension
from symphony_server.use_cases.get_server_info import get_server_info
from symphony_server.use_cases.projects.add_project_member import add_project_member
from symphony_server.use_cases.projects.create_project import create_project
from symphony_server.use_cases.projects.delete_project import delete_project
from symphony_server.use_cases.projects.get_project import get_project, get_project_constraints
from symphony_server.use_cases.projects.list_project_members import list_project_members
from symphony_server.use_cases.projects.list_projects import list_projects
from symphony_server.use_cases.projects.remove_project_member import remove_project_member
from symphony_server.use_cases.projects.update_project import update_project
from symphony_server.use_cases.projects.update_project_member import update_project_member
from symphony_server.use_cases.tokens.create_token import create_token
from symphony_server.use_cases.tokens.list_tokens import list_tokens
from symphony_server.use_cases.tokens.revoke_token import revoke_token
from symphony_server.use_cases.tokens.who_am_i import who_am_i
from symphony_server.use_cases.transactions.execute_transaction import execute_transaction
from symphony_server.use_cases.users.create_user import create_user
from symphony_server.use_cases.users.delete_user import delete_user
from symphony_server.use_cases.users.get_user import get_user, get_user_by_email
from symphony_server.use_cases.users.get_user_capabilities import get_user_capabilities
from symphony_server.use_cases.users.list_users import list_users
from symphony_server.use_cases.users.update_user import update_user
from symphony_server.use_cases.workflows.create_workflow import create_workflow
from symphony_server.use_cases.workflows.delete_workflow import delete_workflow
from symphony_server.use_cases.workflows.get_workflow import get_workflow
from symphony_server.use_cases.workflows.list_workflows import list_workflows
from symphony_server.use_cases.workflows.update_workflow import update_workflow
from symphony_server.use_cases.write import Action, write

Endpoint = Callable[[Store, Call], Awaitable[bytes]]
"""Answers a call whose request is known to keep to the contract; returns the response's
bytes or raises Refused."""


def _write(action: Action) -> Endpoint:
    """A command: one transaction, durable before it is answered."""

    async def endpoint(store: Store, call: Call) -> bytes:
        return await write(store, call, action)

    return endpoint


def _get(query: Callable[[Any, Call, Any], Any]) -> Endpoint:
    """A query that reads a handful of rows by key."""

    async def endpoint(store: Store, call: Call) -> bytes:
        response = await store.point_read(lambda snapshot: query(snapshot, call, call.request))
        return bytes(response.SerializeToString())

    return endpoint


def _list(query: Callable[[Any, Call, Any], Any]) -> Endpoint:
    """A query that scans or reads many rows, on a snapshot of its own, off the event loop."""

    async def endpoint(store: Store, call: Call) -> bytes:
        return await store.read(
            lambda snapshot: bytes(query(snapshot, call, call.request).SerializeToString())
        )

    return endpoint


def _tell(words: Callable[[Call], Any]) -> Endpoint:
    """What the server knows by itself, and so tells while its store is out of reach too."""

    async def endpoint(_: Store, call: Call) -> bytes:
        return bytes(words(call).SerializeToString())

    return endpoint


ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "symphony.v1.UserService/CreateUser": _write(create_user),
    "symphony.v1.UserService/GetUser": _get(get_user),
    "symphony.v1.UserService/GetUserByEmail": _get(get_user_by_email),
    "symphony.v1.UserService/UpdateUser": _write(update_user),
    "symphony.v1.UserService/DeleteUser": _write(delete_user),
    "symphony.v1.UserService/ListUsers": _list(list_users),
    "symphony.v1.UserService/GetUserCapabilities": _get(get_user_capabilities),
    "symphony.v1.ProjectService/CreateProject": _write(create_project),
    "symphony.v1.ProjectService/GetProject": _get(get_project),
    "symphony.v1.ProjectService/UpdateProject": _write(update_project),
    "symphony.v1.ProjectService/DeleteProject": _write(delete_project),
    "symphony.v1.ProjectService/ListProjects": _list(list_projects),
    "symphony.v1.ProjectService/GetProjectConstraints": _get(get_project_constraints),
    "symphony.v1.ProjectService/AddProjectMember": _write(add_project_member),
    "symphony.v1.ProjectService/UpdateProjectMember": _write(update_project_member),
    "symphony.v1.ProjectService/RemoveProjectMember": _write(remove_project_member),
    "symphony.v1.ProjectService/ListProjectMembers": _list(list_project_members),
    "symphony.v1.WorkflowService/CreateWorkflow": _write(create_workflow),
    "symphony.v1.WorkflowService/GetWorkflow": _get(get_workflow),
    "symphony.v1.WorkflowService/UpdateWorkflow": _write(update_workflow),
    "symphony.v1.WorkflowService/DeleteWorkflow": _write(delete_workflow),
    "symphony.v1.WorkflowService/ListWorkflows": _list(list_workflows),
    "symphony.v1.ExecutionService/StartExecution": _write(start_execution),
    "symphony.v1.ExecutionService/GetExecution": _get(get_execution),
    "symphony.v1.ExecutionService/UpdateExecution": _write(update_execution),
    "symphony.v1.ExecutionService/CancelExecution": _write(cancel_execution),
    "symphony.v1.ExecutionService/ListExecutions": _list(list_executions),
    "symphony.v1.ExtensionService/InstallExtension": _write(install_extension),
    "symphony.v1.ExtensionService/GetExtension": _get(get_extension),
    "symphony.v1.ExtensionService/UpdateExtension": _write(update_extension),
    "symphony.v1.ExtensionService/UninstallExtension": _write(uninstall_extension),
    "symphony.v1.ExtensionService/ListExtensions": _list(list_extensions),
    "symphony.v1.TransactionService/ExecuteTransaction": _write(execute_transaction),
    "symphony.v1.AccessService/CheckAccess": _list(check_access),
    "symphony.v1.AccessService/ExplainDecision": _get(explain_decision),
    "symphony.v1.AccessService/WhoAmI": _get(who_am_i),
    "symphony.v1.AccessService/CreateToken": _write(create_token),
    "symphony.v1.AccessService/ListTokens": _list(list_tokens),
    "symphony.v1.AccessService/RevokeToken": _write(revoke_token),
    "symphony.v1.AuditService/ListAuditRecords": _list(list_audit_records),
    "symphony.v1.AuditService/GetAuditRecord": _get(get_audit_record),
    "symphony.v1.AuditService/GetAuditTreeHead": _list(get_audit_tree_head),
    "symphony.v1.AuditService/GetInclusionProof": _list(get_inclusion_proof),
    "symphony.v1.AuditService/GetConsistencyProof": _list(get_consistency_proof),
    "symphony.v1.ServerInfoService/GetServerInfo": _tell(get_server_info),
}

Stream = Callable[[Store, ChangeFeed, Call, Send, Recheck], Awaitable[None]]
"""Answers a call with any number of messages, until it returns or raises Refused."""

STREAMS: Final[Mapping[str, Stream]] = {
    "symphony.v1.ChangeService/Watch": watch,
}

CHANGES_IDENTITY: Final = frozenset(
    {
        "symphony.v1.UserService/UpdateUser",
        "symphony.v1.UserService/DeleteUser",
        "symphony.v1.AccessService/RevokeToken",
        "symphony.v1.TransactionService/ExecuteTransaction",
    }
)
"""The RPCs after which what is remembered of users and tokens may be wrong."""
