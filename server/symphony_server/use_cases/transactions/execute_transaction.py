"""Does several writes as one: all of them, in order, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.transaction_pb2 import Precondition, TransactionResult
from symphony.v1.transaction_service_pb2 import (
    ExecuteTransactionRequest,
    ExecuteTransactionResponse,
)
from symphony_server.access.decisions import decide
from symphony_server.ids import new_id
from symphony_server.refusal import Refused, Violation
from symphony_server.store.transaction import Snapshot, Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.executions.cancel_execution import cancel_execution
from symphony_server.use_cases.executions.start_execution import start_execution
from symphony_server.use_cases.executions.update_execution import update_execution
from symphony_server.use_cases.extensions.install_extension import install_extension
from symphony_server.use_cases.extensions.uninstall_extension import uninstall_extension
from symphony_server.use_cases.extensions.update_extension import update_extension
from symphony_server.use_cases.facts import etag_of, facts_of
from symphony_server.use_cases.judgement import Judgement
from symphony_server.use_cases.projects.add_project_member import add_project_member
from symphony_server.use_cases.projects.create_project import create_project
from symphony_server.use_cases.projects.delete_project import delete_project
from symphony_server.use_cases.projects.remove_project_member import remove_project_member
from symphony_server.use_cases.projects.update_project import update_project
from symphony_server.use_cases.projects.update_project_member import update_project_member
from symphony_server.use_cases.recording import record_allowed
from symphony_server.use_cases.users.create_user import create_user
from symphony_server.use_cases.users.delete_user import delete_user
from symphony_server.use_cases.users.update_user import update_user
from symphony_server.use_cases.workflows.create_workflow import create_workflow
from symphony_server.use_cases.workflows.delete_workflow import delete_workflow
from symphony_server.use_cases.workflows.update_workflow import update_workflow
from symphony_server.use_cases.write import Action

ACTIONS: Final[Mapping[str, tuple[str, Action]]] = {
    "create_user": ("user", create_user),
    "update_user": ("user", update_user),
    "delete_user": ("empty", delete_user),
    "create_project": ("project", create_project),
    "update_project": ("project", update_project),
    "delete_project": ("empty", delete_project),
    "add_project_member": ("project_member", add_project_member),
    "update_project_member": ("project_member", update_project_member),
    "remove_project_member": ("empty", remove_project_member),
    "create_workflow": ("workflow", create_workflow),
    "update_workflow": ("workflow", update_workflow),
    "delete_workflow": ("empty", delete_workflow),
    "install_extension": ("extension", install_extension),
    "update_extension": ("extension", update_extension),
    "uninstall_extension": ("empty", uninstall_extension),
    "start_execution": ("execution", start_execution),
    "update_execution": ("execution", update_execution),
    "cancel_execution": ("execution", cancel_execution),
}
"""The operation's field → the result's field, and the action that a lone call would do."""


def execute_transaction(
    transaction: Transaction, call: Call, request: ExecuteTransactionRequest
) -> ExecuteTransactionResponse:
    """One result an operation, in their order, and the revision after the last.

    Each operation is decided, judged and recorded as if it came alone, and sees those
    before it. The first that is refused ends the transaction with everything that is wrong
    with it; with `validate_only` the others are judged all the same.
    """
    judgement = call.judgement
    call.decision_id = new_id("audit")
    for index, precondition in enumerate(request.preconditions):
        failed = _failed(transaction, call, precondition, f"preconditions[{index}]")
        judgement.ask("precondition", failed, precondition.resource_id)
    judgement.end_stage()

    # Those before a refused one have written: they are undone here, not with the whole batch.
    with transaction.savepoint():
        response = _do_all(transaction, call, request)
    call.resource_id = ""
    response.revision = transaction.changes.revision
    return response


def _do_all(
    transaction: Transaction, call: Call, request: ExecuteTransactionRequest
) -> ExecuteTransactionResponse:
    judgement = call.judgement
    response = ExecuteTransactionResponse()
    for index, (name, operation) in enumerate(operation_requests(request)):
        part = _part(call, index, name, operation)
        field, action = ACTIONS[name]
        try:
            lacking = _scope_lacking(part)
            if lacking is not None:
                part.judgement.stop("token.scope", lacking)
            part.judgement.ask("token.scope", None)
            result = action(transaction, part, part.request)
        except Refused as refused:
            prefix = f"operations[{index}].{name}"
            judgement.answers += part.judgement.answers
            judgement.violations += [violation.under(prefix) for violation in refused.violations]
            judgement.end_stage()
            continue
        record_allowed(transaction, part, validated_only=False)
        response.results.append(TransactionResult(**{field: result}))
    judgement.conclude()
    return response


def _part(call: Call, index: int, name: str, request: Any) -> Call:
    """The call that an operation would be if it came alone."""
    method, permission = call.operations[name]
    return replace(
        call,
        method=method,
        permission=permission,
        request=request,
        update_paths=call.operation_paths[index],
        judgement=Judgement(all_stages=call.request.validate_only),
        resource_id="",
        is_part=True,
    )


def _scope_lacking(part: Call) -> Violation | None:
    if part.caller.scope_covers(part.permission):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_TOKEN_SCOPE_REQUIRED,
        f"the token may not be used for {part.permission}; use one with that scope",
        metadata={"permission": part.permission, "scopes": ",".join(part.caller.scopes)},
    )


def _failed(
    snapshot: Snapshot, call: Call, precondition: Precondition, field: str
) -> Violation | None:
    """The violation of a precondition that does not hold. What the caller may not read is
    absent here too.
    """
    resource_id = precondition.resource_id
    kind = resource_id.partition("_")[0]
    user = call.caller.user
    decision = decide(f"{kind}s.read", user, facts_of(snapshot, resource_id, user.id))
    etag = etag_of(snapshot, resource_id) if decision.allowed else None
    if precondition.WhichOneof("condition") == "exists":
        holds = precondition.exists == (etag is not None)
        says = "must exist" if precondition.exists else "must not exist"
    else:
        holds = precondition.etag == etag
        says = "must have the given etag; it has changed, or is not there"
    if holds:
        return None
    return Violation(
        ErrorReason.ERROR_REASON_PRECONDITION_FAILED,
        f"{resource_id} {says}",
        field=field,
        subject=resource_id,
        metadata={"resource_id": resource_id},
    )


def operation_requests(request: ExecuteTransactionRequest) -> Iterator[tuple[str, Any]]:
    """Each operation's name and request, in order; an operation without one is left out."""
    for operation in request.operations:
        name = operation.WhichOneof("operation")
        if name is not None:
            yield name, getattr(operation, name)
