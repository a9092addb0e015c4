"""Several writes as one: all of them, in order, or none."""

from __future__ import annotations

from typing import Any, Final

from symphony.v1.transaction_pb2 import Precondition, TransactionResult
from symphony.v1.transaction_service_pb2 import (
    ExecuteTransactionRequest,
    ExecuteTransactionResponse,
)
from symphony_client.mock_world.refusals import Refused, Wrong, refuse
from symphony_client.mock_world.world import World, Write
from symphony_client.mock_world.writes import WRITES
from symphony_client.resources.kinds import KINDS

_OF_THE_WHOLE: Final = ("request_id", "validate_only")


def execute_transaction(
    write: Write, request: ExecuteTransactionRequest
) -> ExecuteTransactionResponse:
    """One result an operation, each of which sees those before it, and the revision after."""
    refuse(
        *(
            _unmet(write.world, precondition, f"preconditions[{index}]")
            for index, precondition in enumerate(request.preconditions)
        )
    )
    response = ExecuteTransactionResponse()
    for index, operation in enumerate(request.operations):
        name = str(operation.WhichOneof("operation"))
        try:
            result = _do(write, getattr(operation, name))
        except Refused as refused:
            prefix = f"operations[{index}].{name}"
            raise Refused(*(wrong.under(prefix) for wrong in refused.wrongs)) from None
        response.results.append(TransactionResult(**{_result_field(result): result}))
    response.revision = write.world.feed.revision + len(write.changes)
    return response


def _do(write: Write, request: Any) -> Any:
    refuse(*(_set_twice(field) for field in _OF_THE_WHOLE if getattr(request, field)))
    return WRITES[type(request)](write, request)


def _result_field(result: Any) -> str:
    """Where a result has such a resource."""
    return next(
        field.name
        for field in TransactionResult.DESCRIPTOR.fields
        if field.message_type is result.DESCRIPTOR
    )


def _unmet(world: World, precondition: Precondition, field: str) -> Wrong | None:
    resource_id = precondition.resource_id
    prefix = resource_id.partition("_")[0]
    kind = next(kind for kind in KINDS if kind.field == prefix)
    resource = world.table.get(kind, resource_id)
    if precondition.WhichOneof("condition") == "exists":
        holds = precondition.exists == (resource is not None)
        says = "must exist" if precondition.exists else "must not exist"
    else:
        holds = resource is not None and precondition.etag == resource.etag
        says = "must have the given etag; it has changed, or is not there"
    if holds:
        return None
    return Wrong(
        reason="PRECONDITION_FAILED",
        description=f"{resource_id} {says}",
        field=field,
        subject=resource_id,
        metadata={"resource_id": resource_id},
    )


def _set_twice(field: str) -> Wrong:
    return Wrong(
        reason="FIELD_INVALID",
        description=f"must not be set in an operation; the transaction's {field} holds for all",
        field=field,
        rule="transaction.operation",
    )
